from explain_distill.exceptions import UnknownNameError


def test_an_unknown_name_suggests_the_closest_known_one():
    error = UnknownNameError.of("student", "soft-tre", ["soft-tree", "mlp"])
    assert "Did you mean 'soft-tree'?" in str(error)
    assert "got 'soft-tre'" in str(error)


def test_a_name_that_resembles_nothing_gets_no_suggestion():
    assert "Did you mean" not in str(UnknownNameError.of("student", "zzz", ["soft-tree"]))
