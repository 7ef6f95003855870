import re

import pytest
from export_cases import NASTY, TREES

from explain_distill.students.export.forms import exported
from explain_distill.students.export.quoting import dot_text

STRING = r'"(?:[^"\\]|\\.)*"'


@pytest.mark.parametrize("name", TREES)
def test_the_graph_has_every_node_and_every_branch(name, students):
    student = students(name, "three-classes")
    graph = re.sub(STRING, '""', exported(student, "dot").decode())
    leaves = int(student.complexity()["leaves"])
    trees = 120 if name == "boosted-trees" else 1
    assert graph.count("_leaf_") == 2 * leaves
    assert graph.count(" -> ") == 2 * (leaves - trees)


@pytest.mark.parametrize("name", NASTY)
def test_no_name_ends_its_quotation(name):
    assert re.fullmatch(STRING, dot_text(name), re.DOTALL)
