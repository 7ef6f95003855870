import json
import re
from html.parser import HTMLParser

import pytest

from explain_distill.exceptions import OutputError, UnknownNameError
from explain_distill.report.blocks import Figure, written
from explain_distill.report.render import (
    escape_markdown,
    render_html,
    render_json,
    render_markdown,
    write_report,
)
from explain_distill.report.sections import build_report

STUDIES = ("wine_study", "hostile_study", "value_study", "kept_without_rows")


class Page(HTMLParser):
    """Gathers a page's tags, attributes and text, and checks that tags close in order."""

    VOID = frozenset({"meta", "rect", "circle", "line", "path", "br", "link"})

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def page_of(text):
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


@pytest.fixture(params=STUDIES)
def report(request):
    return build_report(request.getfixturevalue(request.param))


def test_a_page_is_whole_and_loads_nothing(report):
    text = render_html(report)
    page = page_of(text)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    targets = [value for name, value in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"url\(|@import", text)


def test_the_contents_lead_to_each_section(report):
    page = page_of(render_html(report))
    ids = {value for name, value in page.attributes if name == "id"}
    links = [value for name, value in page.attributes if name == "href"]
    assert links == [f"#{section.key}" for section in report.sections]
    assert {link[1:] for link in links} <= ids


def test_every_figure_of_the_table_is_on_the_page(wine_study):
    words = set(page_of(render_html(build_report(wine_study))).words)
    for metric in wine_study.comparison.metrics:
        if metric.metric.startswith(("performance", "fidelity", "attribution")):
            figure = Figure.of(metric.estimate, "share")
            if metric.metric.endswith(
                ("log_loss", "loss_difference", "brier", "ece", "kl", ".gap_bound")
            ):
                figure = Figure.of(metric.estimate)
            assert {figure.words, figure.interval} - {""} <= words, metric


def test_names_are_shown_as_they_are_and_never_as_markup(hostile_study):
    text = render_html(build_report(hostile_study))
    page = page_of(text)
    assert not {"script", "s", "u", "i"} & set(page.tags)
    assert hostile_study.about.schema.names[0] in " ".join(page.words)
    assert "<script>table</script>: how far" in " ".join(page.words)


def test_markdown_shows_names_as_they_are(hostile_study):
    text = render_markdown(build_report(hostile_study))
    assert r"\<b\>&amp; \| \*age\*" in text
    assert "<script>" not in text


def test_each_row_of_a_markdown_table_has_as_many_cells_as_its_head(report):
    columns = None
    for line in render_markdown(report).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns = cells
        else:
            assert cells == columns, line


def test_json_holds_the_figures_in_full_precision(wine_study):
    told = json.loads(render_json(build_report(wine_study)))
    assert told["format"] == 1
    students = next(s for s in told["sections"] if s["key"] == "students")
    table = next(b for b in students["blocks"] if b["kind"] == "table")
    values = [
        cell["value"]
        for group in table["groups"]
        for row in group["rows"]
        for cell in row
        if isinstance(cell, dict)
    ]
    assert sorted(values) == sorted(m.value for m in wine_study.comparison.metrics)


@pytest.mark.parametrize("suffix", [".html", ".md", ".json", ".HTML"])
def test_the_suffix_says_the_form(wine_study, tmp_path, suffix):
    path = write_report(wine_study, tmp_path / f"report{suffix}")
    begins = {".html": "<!doctype html>", ".md": "# wine", ".json": "{"}[suffix.lower()]
    assert path.read_text(encoding="utf-8").startswith(begins)


def test_another_suffix_is_refused(wine_study, tmp_path):
    with pytest.raises(UnknownNameError) as error:
        write_report(wine_study, tmp_path / "report.htm")
    assert str(error.value) == (
        "A report's suffix must be one of .html, .json, .md; however, got '.htm'. "
        "Did you mean '.html'?"
    )
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told(wine_study, tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        write_report(wine_study, tmp_path / "absent" / "report.html")


def test_the_same_study_gives_the_same_report(wine_study, kept_without_rows):
    assert render_html(build_report(wine_study)) == render_html(build_report(wine_study))
    kept = next(s for s in build_report(kept_without_rows).sections if s.key == "students")
    fresh = next(s for s in build_report(wine_study).sections if s.key == "students")
    assert kept == fresh


@pytest.mark.parametrize(
    ("value", "form", "words"),
    [
        (0.9996, "share", "0.9996"),
        (1.0, "share", "1.000"),
        (-0.25, "share", "−0.250"),
        (42.8315, "number", "42.8"),
        (0.000167, "number", "0.000167"),
        (123456.0, "count", "123,456"),
        (4720.0, "bytes", "4.72 kB"),
        (0.2014, "milliseconds", "0.201 ms"),
        (float("nan"), "number", "not defined"),
    ],
)
def test_figures_are_written_for_people(value, form, words):
    assert written(value, form) == words


def test_markdown_signs_are_escaped():
    assert escape_markdown("a|b*c_d <e> & `f`") == r"a\|b\*c\_d \<e\> &amp; \`f\`"
