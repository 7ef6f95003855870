"""Nothing is lost and nothing is half written."""

import errno
import os

import pytest

import explain_distill as xd
from explain_distill.exceptions import OutputError
from explain_distill.study import folder as folder_module
from explain_distill.study import output
from explain_distill.study.output import check_output, whole_folder, write_whole

not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture
def earlier(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.json").write_text("{}")
    (folder / "report.md").write_text("old")
    return folder


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_filled_folder_takes_the_place_of_the_earlier_one(can_exchange, earlier, monkeypatch):
    if not can_exchange:
        monkeypatch.setattr(output, "_exchange", lambda one, other: False)
    with whole_folder(earlier) as part:
        (part / "study.json").write_text("new")
    assert contents(earlier) == {"study.json": b"new"}
    assert [path.name for path in earlier.parent.iterdir()] == ["study"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_an_interrupt_leaves_what_was_there(error, earlier):
    before = contents(earlier)

    def write_half():
        with whole_folder(earlier) as part:
            (part / "study.json").write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert contents(earlier) == before
    assert [path.name for path in earlier.parent.iterdir()] == ["study"]


def test_a_full_disk_leaves_what_was_there_and_is_told(wine_study, earlier, monkeypatch):
    before = contents(earlier)

    def full(path, value):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(folder_module, "write_json", full)
    with pytest.raises(OutputError, match="no space left on device"):
        wine_study.save(earlier, force=True)
    assert contents(earlier) == before
    assert [path.name for path in earlier.parent.iterdir()] == ["study"]


def test_a_study_that_is_there_needs_force(earlier):
    with pytest.raises(OutputError, match=r"holds a study\. Name another --out, or replace it"):
        check_output(earlier, force=False)
    check_output(earlier, force=True)


def test_a_folder_of_other_files_is_never_replaced(tmp_path):
    (tmp_path / "thesis.docx").write_text("")
    with pytest.raises(OutputError, match="holds other files"):
        check_output(tmp_path, force=True)


def test_a_file_beside_a_study_is_never_lost(earlier):
    (earlier / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"also holds 'notes\.txt', which would be lost"):
        check_output(earlier, force=True)


def test_a_mount_point_is_refused(earlier, monkeypatch):
    monkeypatch.setattr(output.os.path, "ismount", lambda path: True)
    with pytest.raises(OutputError, match="is a mount point"):
        check_output(earlier, force=True)


def test_an_empty_folder_is_fine(tmp_path):
    check_output(tmp_path, force=False)


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="is a file"):
        check_output(file, force=True)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    # Root may write everywhere, so the system's answer is given for it.
    monkeypatch.setattr(output.os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="must be writable; however"):
        check_output(tmp_path / "study", force=False)


@not_as_root
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="must be writable; however"):
        check_output(tmp_path / "study", force=False)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_whole(path, b"old")

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(output.Path, "replace", fail)
    with pytest.raises(OutputError, match="what was there is unchanged"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_study_is_replaced_with_all_that_it_may_hold(wine, wine_teacher, wine_students, tmp_path):
    students = {"soft-tree": wine_students["soft-tree"]}
    repeats = xd.redistill(wine_teacher, students, wine[0], minutes=1e-6)
    retrained = xd.NeuralTeacher(members=1, width=8, max_epochs=5, seed=1).fit(wine[0])
    study = xd.compare(
        wine_teacher,
        students,
        wine[1],
        n_draws=1,
        quick=True,
        repeats=repeats,
        retrained=retrained,
    )
    folder = study.save(tmp_path / "study")
    assert {"repeats", "retrained"} <= {path.name for path in folder.iterdir()}
    study.save(folder, force=True, formats=("json",))
    study.save(folder, force=True)
