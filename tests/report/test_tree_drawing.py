import re
from xml.etree import ElementTree

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.data.dataset import Task
from explain_distill.report.svg import shorten, text_width
from explain_distill.report.tree_drawing import draw_tree
from explain_distill.report.tree_layout import lines
from explain_distill.students.decision_tree_words import questions
from explain_distill.students.nodes import tree_nodes, unweighed_nodes
from explain_distill.students.rules import Question, Term
from explain_distill.students.soft_tree import SoftTree

SVG = "{http://www.w3.org/2000/svg}"


def fitted(depth, n_classes=3, n_features=4, n_steps=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, n_features))
    y = rng.integers(n_classes, size=200)
    return SoftTree(depth=depth, n_steps=n_steps, random_state=0).fit(X, y), X


def classes(n):
    return Task("classification", "kind", tuple(f"class {i}" for i in range(n)))


def words_of(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def small():
    tree, X = fitted(2)
    return tree, X, tree_nodes(tree, X)


def test_each_leaf_is_drawn_with_its_most_probable_class(small):
    _, _, nodes = small
    told = [words for words in words_of(draw_tree(nodes, classes(3))) if words.startswith("class")]
    leaves = [node for node in nodes if node.question is None]
    best = [(int(np.argmax(leaf.output)), max(leaf.output)) for leaf in leaves]
    assert told[3:] == [f"class {code} {probability:.2f}" for code, probability in best]


def test_the_root_says_which_branch_is_yes_and_which_is_no(small):
    words = words_of(draw_tree(small[2], classes(3)))
    assert words.count("yes") == words.count("no") == 1


def test_the_way_of_a_row_is_marked_and_told_in_its_own_shares(small):
    tree, X, nodes = small
    followed = tree_nodes(tree, X[:1])
    words = words_of(draw_tree(nodes, classes(3), followed=followed))
    assert words.count("yes") + words.count("no") in (3, 4)  # the root's two, and one below
    assert any(word.endswith("of this row") for word in words)


def test_branches_that_few_rows_take_are_folded():
    tree, X = fitted(8)
    svg = draw_tree(tree_nodes(tree, X), classes(3))
    assert "…" in words_of(svg)
    assert sum(word.startswith("leaf ") for word in words_of(svg)) < 256


def test_the_drawing_grows_with_its_leaves():
    heights = []
    for depth in (1, 3, 5):
        tree, X = fitted(depth)
        svg = draw_tree(tree_nodes(tree, X), classes(3))
        heights.append(float(ElementTree.fromstring(svg).get("height")))
    assert heights == sorted(heights)
    assert heights[2] > 2 * heights[0]


def test_no_text_is_smaller_than_eleven_pixels():
    tree, X = fitted(7)
    svg = draw_tree(tree_nodes(tree, X), classes(3))
    assert min(float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)) >= 11


def test_of_many_classes_only_the_most_probable_is_coloured():
    tree, X = fitted(2, n_classes=26)
    svg = draw_tree(tree_nodes(tree, X), classes(26))
    assert {"most probable class", "all others"} <= set(words_of(svg))


def test_values_are_told_with_their_unit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    tree = SoftTree(depth=1, n_steps=60, task="regression", random_state=0).fit(X, X[:, 0])
    nodes = tree_nodes(tree, X)
    words = words_of(draw_tree(nodes, Task("regression", "stay", unit="days")))
    assert f"{nodes[1].output[0]:.4g} days".replace("-", "−") in words


def test_without_rows_no_share_is_told(small):
    svg = draw_tree(small[2], classes(3), weighed=False)
    assert "of rows" not in svg
    assert "No rows are known" in svg


def test_names_are_escaped(small):
    task = Task("classification", "kind", ("<b>a</b>", "b & c", '"d"'))
    svg = draw_tree(small[2], task)
    assert "<b>" not in svg
    assert "<b>a</b>" in " ".join(words_of(svg))


def test_a_drawing_says_what_it_shows_and_loads_nothing(small):
    root = ElementTree.fromstring(draw_tree(small[2], classes(3)))
    assert root.get("role") == "img"
    assert root.get("aria-label").startswith("Soft tree of depth 2 with 4 leaves, of which 4")
    assert not list(root.iter(f"{SVG}script"))
    assert not [e for e in root.iter() if any("href" in name for name in e.keys())]  # noqa: SIM118


def test_a_long_name_keeps_its_end_where_a_level_is_told():
    cut = shorten("slope of ST at peak exercise=flat", 120, 12)
    assert cut.startswith("slope")
    assert cut.endswith("flat")
    assert text_width(cut, 12) <= 120


@pytest.fixture(scope="module")
def decision_tree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    return xd.DecisionTree(max_leaves=6).fit(X, rng.integers(3, size=300)), X


def test_a_decision_tree_is_drawn_with_its_questions_in_full(decision_tree):
    tree, X = decision_tree
    words = words_of(draw_tree(tree_nodes(tree, X), classes(3)))
    asked = questions(tree)
    assert {part for question in asked for part in (question.subject, question.predicate)} <= {
        *words
    }
    assert "A box holds a question: yes leads down, no leads up." in words
    assert sum(word.startswith("leaf ") for word in words) == 6


def test_a_row_takes_one_way_through_a_decision_tree(decision_tree):
    tree, X = decision_tree
    followed = tree_nodes(tree, X[:1])
    assert {node.reach for node in followed} == {0.0, 1.0}
    reached = [node for node in followed if node.question is None and node.reach]
    assert [node.name for node in reached] == [f"leaf {tree.leaves_of(X[:1])[0] + 1}"]
    svg = draw_tree(tree_nodes(tree, X), classes(3), followed=followed)
    label = ElementTree.fromstring(svg).get("aria-label")
    assert label.startswith("Decision tree of depth")
    assert label.endswith("The way of one row is marked.")


def test_nodes_are_as_full_as_their_children(decision_tree):
    tree, X = decision_tree
    nodes = tree_nodes(tree, X)
    assert nodes[0].n_leaves == 6
    assert nodes[0].reach == pytest.approx(1)
    for node in nodes[:5]:
        below = [nodes[child] for child in node.children]
        assert node.reach == pytest.approx(sum(child.reach for child in below))
        assert {child.level for child in below} == {node.level + 1}


def test_where_no_rows_are_known_each_question_halves_them(decision_tree):
    nodes = unweighed_nodes(decision_tree[0])
    assert all(node.reach == pytest.approx(0.5**node.level) for node in nodes)


def test_a_class_that_is_called_by_a_number_is_told_with_its_target():
    X = np.random.default_rng(0).normal(size=(200, 2))
    tree = xd.DecisionTree(max_leaves=3).fit(X, X[:, 0] > 0)
    svg = draw_tree(tree_nodes(tree, X), Task("classification", "ill", ("0", "1")))
    assert ">ill = 0<" in svg
    assert re.search(r">ill = 1: \d\.\d\d<", svg)
    tree.class_names_ = ("0", "1")
    assert any("class 1 with probability" in line for line in tree.rules())


def test_a_level_and_what_is_missing_are_never_cut_off():
    names = [f"{'a_very_long_name_of_a_column_' * 3}{end}" for end in ("=female", " is missing")]
    question = Question(tuple(Term(name, 1.0, 0.5, None, True) for name in names), 0.0)
    spoken, _ = lines(question, 100)
    assert "=female" in spoken
    assert "is missing" in spoken


def test_a_question_that_weighs_nothing_is_drawn():
    X = np.ones((60, 3))
    tree = xd.SoftTree(depth=2, n_steps=20, random_state=0).fit(X, np.arange(60) % 2)
    svg = draw_tree(tree_nodes(tree, X), Task("classification", "ill", ("no", "yes")))
    assert "0 &gt; " in svg
