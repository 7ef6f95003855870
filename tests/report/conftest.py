"""Small studies whose names are hostile, that have no tree, or that predict values."""

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema


@pytest.fixture(scope="session")
def hostile_study():
    """Names that HTML, SVG and Markdown could take for markup; missing cells; no train kept."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = (X.sum(axis=1) > 0).astype(np.int64)
    X[::9, 0] = np.nan
    schema = Schema((Feature("<b>& | *age*", unit="<s>"), Feature("a very long name " * 4)))
    task = Task("classification", "<i>died</i>", ("no & <u>alive</u>", "yes"))
    data = Dataset("<script>table</script>", X, y, schema, task, notes=("A <b>note</b>.",))
    return small_study(data)


@pytest.fixture(scope="session")
def value_study():
    """A teacher that predicts values, and a student that nobody distilled."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3))
    schema = Schema(tuple(Feature(name) for name in ("age", "weight", "height")))
    task = Task("regression", "stay", unit="days")
    return small_study(Dataset("stays", X, X[:, 0] - 2 * X[:, 1], schema, task), distilled=False)


def small_study(data, distilled=True):
    train, test = data.split(seed=0)
    teacher = xd.NeuralTeacher(members=2, width=16, max_epochs=5).fit(train)
    tree = xd.SoftTree(depth=2, n_steps=100, task=data.task.kind, random_state=0)
    if distilled:
        tree = xd.distill(teacher, tree, train)
    else:
        tree.fit(train.readable(), train.y)
        tree.set_names(data.schema, data.task.class_names)
    return xd.compare(teacher, {"soft-tree": tree}, test)


@pytest.fixture(scope="session")
def kept_without_rows(wine_study, tmp_path_factory):
    """A study that was kept without its rows, and opened again."""
    folder = tmp_path_factory.mktemp("kept") / "study"
    return xd.Study.open(wine_study.save(folder, with_data=False))
