"""Thread pools are capped before numpy and torch load; small trained models that tests share."""

import os
from dataclasses import replace

beside_others = "PYTEST_XDIST_WORKER" in os.environ  # and threads of two would wait for each other
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1" if beside_others else "2")

import numpy as np  # noqa: E402 - the caps above come first
import pytest  # noqa: E402

import explain_distill as xd  # noqa: E402
from explain_distill.audit.front import front_of, set_apart  # noqa: E402
from explain_distill.data.dataset import Dataset, Task  # noqa: E402
from explain_distill.data.features import Feature, Schema  # noqa: E402

SMALL_STUDENTS = {
    "soft-tree": lambda: xd.SoftTree(depth=2, n_steps=400),
    "decision-tree": lambda: xd.DecisionTree(max_leaves=24),
    "boosted-trees": lambda: xd.BoostedTrees(n_trees=60),
    "mlp": lambda: xd.MLP(hidden=(16,), n_steps=400),
    "additive": lambda: xd.Additive(n_pairs=2, n_bins=32),
}


def mixed_table(n_rows=240, seed=0, task="classification"):
    """Build rows with every kind of column, missing cells, and a truth that they decide."""
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 12, n_rows)
    site = rng.integers(3, size=n_rows).astype(float)
    smoker = rng.integers(2, size=n_rows).astype(float)
    signal = (age - 60) / 12 + (site == 2) - smoker + rng.normal(0, 0.3, n_rows)
    age[::11] = np.nan
    schema = Schema(
        (
            Feature("age", unit="years"),
            Feature("site", "category", levels=("north", "south", "west")),
            Feature("smoker", "boolean"),
        )
    )
    if task == "regression":
        return Dataset("mixed", np.c_[age, site, smoker], signal, schema, Task(task, "risk"))
    classes = Task(task, "outcome", ("well", "ill"))
    return Dataset(
        "mixed", np.c_[age, site, smoker], (signal > 0).astype(np.int64), schema, classes
    )


@pytest.fixture(scope="session")
def mixed():
    """Training and test rows of a table with every kind of column."""
    return mixed_table().split(seed=0)


@pytest.fixture(scope="session")
def wine():
    """Training and test rows of a table with three classes."""
    return xd.load_dataset("wine").split(seed=0)


@pytest.fixture(scope="session")
def wine_teacher(wine):
    return xd.NeuralTeacher(members=2, width=32, max_epochs=60).fit(wine[0])


@pytest.fixture(scope="session")
def mixed_teacher(mixed):
    return xd.NeuralTeacher(members=2, width=32, max_epochs=60).fit(mixed[0])


@pytest.fixture(scope="session")
def wine_students(wine, wine_teacher):
    return distilled(wine_teacher, wine[0])


@pytest.fixture(scope="session")
def mixed_students(mixed, mixed_teacher):
    return distilled(mixed_teacher, mixed[0])


@pytest.fixture(scope="session")
def wine_study(wine, wine_teacher, wine_students):
    return xd.compare(wine_teacher, wine_students, wine[1])


@pytest.fixture(scope="session")
def sized_study():
    """Trees and perceptrons in several sizes, judged on enough rows to choose among them."""
    train, test = mixed_table(n_rows=900).split(seed=0)
    learned, validation = set_apart(train, seed=0)
    teacher = xd.NeuralTeacher(members=2, width=32, max_epochs=20).fit(train)
    plain = (xd.SoftTree(n_steps=300), xd.MLP(n_steps=300))
    sizes = {f"{student.NAME}-{size}": size for student in plain for size in (2, 4, 8)}
    students = {
        f"{student.NAME}-{size}": xd.distill(teacher, student.with_size(size), learned)
        for student in plain
        for size in (2, 4, 8)
    }
    study = xd.compare(teacher, students, test)
    front = front_of(study.comparison, sizes, validation)
    metrics = (*study.comparison.metrics, *front.metrics())
    return xd.Study(study.about, replace(study.comparison, metrics=metrics), train, front)


def distilled(teacher, train):
    return {
        name: xd.distill(teacher, make(), train, transfer=xd.Coalitions(3000))
        for name, make in SMALL_STUDENTS.items()
    }
