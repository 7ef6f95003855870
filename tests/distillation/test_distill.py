import numpy as np
import pytest

import explain_distill as xd
from explain_distill.distillation.targets import Labeller
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.fidelity import score_r2

STUDENTS = ("soft-tree", "decision-tree", "boosted-trees", "mlp")


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("table", ["wine", "mixed"])
def test_students_follow_their_teacher(table, name, request):
    _, test = request.getfixturevalue(table)
    teacher = request.getfixturevalue(f"{table}_teacher")
    student = request.getfixturevalue(f"{table}_students")[name]
    score = student.predict_score(test.readable())
    least = 0.5 if name == "decision-tree" else 0.9  # steps follow a slope less closely
    assert score_r2(teacher.predict_score(test.X), score) > least


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_knows_its_names_and_how_it_came_to_be(name, mixed_students):
    student = mixed_students[name]
    assert student.class_names() == ["well", "ill"]
    assert [feature.name for feature in student.readable_features()] == [
        *("age", "site=north", "site=south", "site=west", "smoker")
    ]
    told = student.distillation_
    assert (told.transfer, told.temperature, told.hard_weight) == ("coalitions", 1.0, 0.0)
    assert told.fit_seconds > 0
    assert student.rules()


def test_the_students_passed_in_stay_unfitted(mixed, mixed_teacher):
    student = xd.MLP(n_steps=5)
    xd.distill(mixed_teacher, student, mixed[0])
    assert not hasattr(student, "weights_")


@pytest.mark.parametrize(
    "student", [xd.SoftTree(depth=2, n_steps=30), xd.BoostedTrees(n_trees=5), xd.MLP(n_steps=30)]
)
def test_the_same_seed_gives_the_same_student_and_another_another(student, mixed, mixed_teacher):
    def scores(seed):
        fitted = xd.distill(
            mixed_teacher, student, mixed[0], transfer=xd.Coalitions(500), seed=seed
        )
        return fitted.predict_score(mixed[1].readable())

    first = scores(0)
    assert np.array_equal(first, scores(0))
    assert not np.array_equal(first, scores(1))


@pytest.mark.parametrize("temperature", [0.5, 4.0])
def test_a_students_score_is_the_teachers_whatever_the_temperature(temperature, wine, wine_teacher):
    train, test = wine
    for student in (xd.MLP(hidden=(16,), n_steps=400), xd.BoostedTrees(n_trees=60)):
        fitted = xd.distill(
            wine_teacher, student, train, transfer=xd.Coalitions(3000), temperature=temperature
        )
        score = fitted.predict_score(test.readable())
        assert score_r2(wine_teacher.predict_score(test.X), score) > 0.9


def test_hard_labels_alone_learn_the_truth(wine, wine_teacher):
    train, test = wine
    for student in (xd.MLP(hidden=(16,), n_steps=300), xd.BoostedTrees(n_trees=40)):
        fitted = xd.distill(
            wine_teacher, student, train, transfer=xd.Coalitions(2000), hard_weight=1.0
        )
        assert fitted.score(test.readable(), test.y) > 0.9


def test_a_hard_weight_is_the_share_of_true_labels(mixed, mixed_teacher):
    rng = np.random.default_rng(0)
    labeller = Labeller(mixed_teacher, mixed[0], xd.Coalitions(), 1.0, 0.3, rng)
    labels = labeller.draw(20_000).labels
    assert np.mean((labels == 0).any(axis=1)) == pytest.approx(0.3, abs=0.02)


def test_a_regressor_is_distilled_on_its_values():
    train, test = xd.load_dataset("diabetes").split(seed=0)
    teacher = xd.NeuralTeacher(members=2, width=32, max_epochs=60).fit(train)
    for student in (
        xd.SoftTree(depth=2, n_steps=400),
        xd.BoostedTrees(n_trees=60),
        xd.MLP(hidden=(16,), n_steps=400),
    ):
        fitted = xd.distill(teacher, student, train, transfer=xd.Coalitions(3000), temperature=3)
        score = fitted.predict_score(test.readable())
        assert score_r2(teacher.predict_score(test.X), score) > 0.9


def test_any_fitted_classifier_is_a_teacher(wine):
    from sklearn.ensemble import RandomForestClassifier

    train, test = wine
    forest = RandomForestClassifier(20, random_state=0).fit(train.X, train.y)
    fitted = xd.distill(forest, xd.BoostedTrees(n_trees=60), train, transfer=xd.Coalitions(3000))
    same = fitted.predict(test.readable()) == forest.predict(test.X)
    assert same.mean() > 0.9


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"temperature": 0.0}, "temperature must be from 0.1 to 1000; however, got 0"),
        ({"temperature": np.nan}, "temperature must be from 0.1"),
        ({"hard_weight": 1.5}, "hard_weight must be from 0 to 1; however, got 1.5"),
        ({"hard_weight": "a"}, "hard_weight must be from 0 to 1; however, got 'a'"),
        ({"seed": "a"}, "seed must be a whole number of at least 0; however, got 'a'"),
        ({"transfer": xd.Munge}, "transfer must be a transfer set, such as xd.Coalitions"),
        ({"transfer": "mung"}, "Did you mean 'munge'"),
        ({"techniques": xd.GradientMatching()}, "techniques must be a list of techniques"),
        ({"techniques": [xd.GradientMatching]}, "techniques must be a list of techniques"),
        ({"student": xd.SoftTree}, "student must be a student, such as"),
        ({"student": xd.SoftTree(n_steps="many")}, "n_steps must be a whole number"),
        ({"student": xd.SoftTree(task="regression")}, "must not be of task='regression'"),
        ({"data": np.zeros((4, 2))}, "data must be a Dataset; however, got ndarray"),
    ],
)
def test_options_out_of_range_are_refused(option, message, mixed, mixed_teacher):
    options = {"student": xd.MLP(n_steps=5), "data": mixed[0]} | option
    with pytest.raises((DataError, UnknownNameError), match=message):
        xd.distill(mixed_teacher, **options)


def test_a_transfer_set_is_known_by_its_name(wine, wine_teacher):
    named, made = (
        xd.distill(wine_teacher, xd.SoftTree(n_steps=20), wine[0], transfer=transfer)
        for transfer in ("munge", xd.Munge())
    )
    assert named.distillation_.transfer == "munge"
    assert np.array_equal(
        named.predict_score(wine[1].readable()), made.predict_score(wine[1].readable())
    )


def test_training_rows_come_once_with_each_label_at_its_weight(mixed, mixed_teacher):
    rng = np.random.default_rng(0)

    def weighed(hard_weight):
        labeller = Labeller(mixed_teacher, mixed[0], xd.TrainingRows(), 1.0, hard_weight, rng)
        batch = labeller.all_rows()
        return batch.rows, batch.labels, batch.weights

    n = len(mixed[0])
    rows, labels, weights = weighed(0.3)
    assert len(rows) == 2 * n
    assert weights[(labels == 0).any(axis=1)].sum() / weights.sum() == pytest.approx(0.3)
    assert [len(weighed(share)[0]) for share in (0.0, 1.0)] == [n, n]


def test_soft_labels_stay_soft_at_a_low_temperature(wine, wine_teacher):
    rng = np.random.default_rng(0)
    batch = Labeller(wine_teacher, wine[0], xd.Coalitions(), 0.1, 0.0, rng).draw(5000)
    assert (batch.labels > 0).all()


def test_hard_labels_alone_do_not_ask_a_teacher_for_no_rows(wine):
    from sklearn.linear_model import LogisticRegression

    train, test = wine
    model = LogisticRegression(max_iter=5000).fit(train.X, train.y)
    for transfer in (xd.Coalitions(500), xd.TrainingRows()):
        fitted = xd.distill(
            model, xd.BoostedTrees(n_trees=30), train, transfer=transfer, hard_weight=1.0
        )
        assert fitted.score(test.readable(), test.y) > 0.85


def test_gradients_of_soft_labels_keep_their_size_whatever_the_temperature():
    # Hinton et al. (2015), section 2.1: times T², a hot divergence's slope along the score is
    # (student - teacher) / n_classes, however hot it is.
    import torch

    from explain_distill.students.matching import matched_scores

    rng = np.random.default_rng(0)
    teacher, student = (torch.from_numpy(rng.normal(size=(3, 50))) for _ in range(2))
    ahead = (student - student.mean(dim=0)) - (teacher - teacher.mean(dim=0))
    for temperature in (30.0, 300.0):
        logs = torch.log_softmax(teacher / temperature, dim=0)
        *_, slope = matched_scores(
            student / temperature, logs.exp(), logs, matching=0.0, divergence=temperature**2
        )
        along_the_score = slope / temperature * 50
        assert torch.allclose(along_the_score, ahead / 3, atol=0.05)
