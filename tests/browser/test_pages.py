"""Each page in a real browser: its figures, its address, and what it says when something is off."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.browser

both_widths = pytest.mark.parametrize("page", [1280, 1920], indirect=True)
STUDENTS = ("soft-tree", "decision-tree", "boosted-trees", "mlp", "additive")


def opened(page, address, path="", heading=None):
    """Open a page of the app and wait until it is drawn."""
    page.goto(f"{address}/{path}")
    settled(page)
    assert page.get_by_test_id("stException").count() == 0
    if heading is not None:
        assert page.locator("h1").inner_text() == heading
    return page.get_by_test_id("stMain").inner_text()


def settled(page):
    page.locator("h1, [data-testid=stException]").first.wait_for()
    page.wait_for_function(
        "document.querySelector('[data-test-script-state]')"
        "?.getAttribute('data-test-script-state') === 'notRunning'"
    )


def drawn(page):
    """Wait for the charts and give the text of each."""
    charts = page.get_by_test_id("stVegaLiteChart")
    charts.first.wait_for()
    texts = []
    for place in range(charts.count()):
        chart = charts.nth(place)
        chart.scroll_into_view_if_needed()
        chart.locator("svg, canvas").first.wait_for()
        texts.append(" ".join(chart.locator("text").all_text_contents()))
    return texts


def choose(page, label, option):
    """Choose an option of a select box as a reader does."""
    box = page.get_by_role("combobox", name=re.compile(label))
    box.click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def parameters(page):
    return {key: value[0] for key, value in parse_qs(urlsplit(page.url).query).items()}


def chosen(page, label):
    return page.get_by_role("combobox", name=re.compile(label)).input_value()


def table(page, place=0):
    """Read a table as texts, row by row."""
    return (
        page.get_by_test_id("stTable")
        .nth(place)
        .evaluate(
            "shown => [...shown.querySelectorAll('tr')].map("
            "row => [...row.children].map(cell => cell.textContent.trim()))"
        )
    )


def fits(page):
    """Nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


# -- overview --------------------------------------------------------------------------------------


def test_overview_shows_the_figures_of_results_json(page, served, results):
    text = opened(page, served, heading="wine")
    assert "178 rows (133 to train on, 45 to judge on) and 13 columns (13 numbers)" in text
    header, *rows = table(page)
    assert header == ["", "Better", "teacher", *STUDENTS]
    cells = {name: told for name, *told in rows}
    for name, metric in (
        ("Accuracy", "performance.accuracy"),
        ("Rank correlation of reasons", "attribution.rank_correlation"),
    ):
        better, *told = cells[name]
        assert better == "higher"
        for model, cell in zip(("teacher", *STUDENTS), told, strict=True):
            found = results[model, metric]
            assert cell == f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


@both_widths
def test_overview_draws_agreement_with_floor_and_ceiling(page, served, results):
    opened(page, served)
    texts = drawn(page)
    ceiling = results["teacher", "attribution.rank_correlation"]["value"]
    agreement = [text for text in texts if "ceiling" in text and "Rank correlation" in text]
    assert len(agreement) == 1
    assert f"chance 0, ceiling {ceiling:.3f}" in agreement[0]
    for name in STUDENTS:
        value = results[name, "attribution.rank_correlation"]["value"]
        assert f"{value:.3f}" in agreement[0]
    assert fits(page)


# -- reasons ---------------------------------------------------------------------------------------


@both_widths
def test_reasons_add_up_and_say_on_what_they_rest(page, served, wine_study):
    reasons = wine_study.comparison.reasons
    row = int(reasons.rows[3])
    text = opened(page, served, f"reasons?row={row + 1}&class=cultivar+2", "Reasons")
    assert f"Rests on {reasons.describe()}." in text
    assert f"Test row {row + 1}: shares for cultivar 2" in text
    texts = drawn(page)
    schema = wine_study.about.schema
    word = schema.features[0].word(float(wine_study.comparison.data.X[row, 0]), 6)
    assert f"{schema.names[0]} = {word}" in texts[1]
    for *_, total, score in table(page)[1:]:
        assert total == score
    assert fits(page)


def test_own_methods_are_said_not_to_be_comparable(page, served):
    text = opened(page, served, "reasons?attributions=own+method&student=boosted-trees")
    assert "The methods differ" in text
    assert "TreeSHAP" in text
    assert "expected gradients" in text
    assert len(drawn(page)) == 4


# -- student ---------------------------------------------------------------------------------------


@both_widths
def test_a_tree_is_drawn_and_walked(page, served, wine_study):
    from explain_distill.report.reading import known_rows
    from explain_distill.students.nodes import path_words, questions_among

    row = int(wine_study.comparison.reasons.rows[5])
    text = opened(page, served, f"student?row={row + 1}&follow=true", "soft-tree")
    page.get_by_test_id("stImage").locator("img").wait_for()
    data = wine_study.comparison.data
    readable = data.readable()[[row]]
    tree = wine_study.students["soft-tree"]
    for line in path_words(tree, readable, questions_among(tree, known_rows(wine_study))):
        assert line in text
    assert "its leaf" in drawn(page)[0]
    assert fits(page)


def test_a_student_that_is_no_tree_says_so(page, served):
    text = opened(page, served, "student?student=mlp", "mlp")
    assert "no single tree" in text
    assert "It has no rules to read" in text
    assert len(drawn(page)) == 2


# -- the address -----------------------------------------------------------------------------------


def test_the_address_restores_all_choices(page, served, wine_study):
    row = str(int(wine_study.comparison.reasons.rows[7]) + 1)
    opened(page, served, f"reasons?study=wine&student=mlp&class=cultivar+3&row={row}", "Reasons")
    assert [chosen(page, label) for label in ("Student", "Class", "Test row")] == [
        "mlp",
        "cultivar 3",
        row,
    ]


def test_choices_go_into_the_address_and_stay_there_on_other_pages(page, served, wine_study):
    row = str(int(wine_study.comparison.reasons.rows[2]) + 1)
    opened(page, served)
    choose(page, "Student", "boosted-trees")
    choose(page, "Class", "cultivar 2")
    choose(page, "Test row", row)
    wanted = {"student": "boosted-trees", "class": "cultivar 2", "row": row}
    assert parameters(page) == wanted
    for name in ("Reasons", "Student"):
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        page.wait_for_url(re.compile(f"/{name.lower()}"))
        settled(page)
        assert parameters(page) == wanted
        assert chosen(page, "Test row") == row
    page.reload()
    settled(page)
    assert page.locator("h1").inner_text() == "boosted-trees"
    assert chosen(page, "Class") == "cultivar 2"


def test_an_address_means_the_same_row_in_any_order(page, served):
    opened(page, served, "reasons?study=wine", "Reasons")
    row = chosen(page, "Test row")
    page.get_by_text("Rows furthest apart first").click()
    settled(page)
    assert chosen(page, "Test row") == row
    page.reload()
    settled(page)
    assert chosen(page, "Test row") == row


@pytest.mark.parametrize("path", ["overview?study=wine", "?study=nowhere"])
def test_an_old_address_is_answered(page, served, path):
    opened(page, served, path, "wine")
    told = page.get_by_text("No study here is called “nowhere”").count()
    assert told == ("nowhere" in path)


def test_another_study_keeps_what_it_can(page, served):
    opened(page, served, "?student=mlp&class=cultivar+3", "wine")
    choose(page, "Study", "private")
    page.get_by_role("heading", name="mixed").wait_for()
    assert chosen(page, "Student") == "mlp"
    assert chosen(page, "Class") == "ill"
    assert parameters(page) == {"study": "private", "student": "mlp"}


# -- what is missing or wrong ----------------------------------------------------------------------


def test_a_study_without_rows_says_so_and_shows_the_rest(page, served):
    text = opened(page, served, "reasons?study=private", "Reasons")
    assert "The rows' values were not kept" in text
    assert len(drawn(page)) == 2
    text = opened(page, served, "student?study=private", "soft-tree")
    assert "The rows' values were not kept" in text


@pytest.mark.parametrize("path", ["", "trust", "reasons", "student"])
def test_an_altered_study_gives_its_error_and_no_traceback(page, served, path):
    text = opened(page, served, f"{path}?study=altered", "This study cannot be opened")
    assert "A study's files must be as they were written; however" in text
    assert "scores.parquet" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("path", ["", "trust", "reasons"])
def test_without_a_study_the_page_says_how_to_make_one(page, served_empty, path):
    opened(page, served_empty, path, "No study is open")
    remedy = page.get_by_text("explain-distill demo")
    remedy.wait_for()
    assert remedy.is_visible()


# -- molecule --------------------------------------------------------------------------------------


def pasted(page, label, text, key):
    """Write into a field as a reader does."""
    field = page.get_by_role("textbox", name=label)
    field.fill(text)
    field.press(key)
    settled(page)


@both_widths
def test_a_pasted_molecule_is_drawn_compared_and_told(page, served_molecules):
    from playwright.sync_api import expect

    opened(page, served_molecules, "molecule", "Molecule")
    pasted(page, "SMILES, one a line", "O=C(O)c1ccccc1Cl", "Control+Enter")
    page.get_by_test_id("stCode").get_by_text("O=C(O)c1ccccc1Cl").wait_for()
    change = "The molecule as you would change it"
    expect(page.get_by_role("textbox", name=change)).to_have_value(
        "O=C(O)c1ccccc1Cl", timeout=60_000
    )
    settled(page)
    drawings = page.get_by_test_id("stImage").locator("img")
    assert drawings.count() == 5  # teacher and student in one, four neighbours
    pasted(page, change, "O=C(O)c1ccccc1O", "Enter")
    page.get_by_text("What students are told of it that differs").wait_for()
    assert [row[0] for row in table(page, 1)[1:]] == ["teacher", "soft-tree", "boosted-trees"]
    assert fits(page)


def test_what_is_no_molecule_is_named_and_the_rest_shown(page, served_molecules):
    opened(page, served_molecules, "molecule", "Molecule")
    pasted(page, "SMILES, one a line", "C1CC\nCCO\nCCCl", "Control+Enter")
    page.get_by_text("Line 1 (C1CC) is left out: not a SMILES.").wait_for()
    assert chosen(page, "Look at") == "2: CCO"
    choose(page, "Look at", "3: CCCl")
    page.get_by_test_id("stCode").get_by_text("CCCl").wait_for()


def test_brackets_of_a_smiles_are_shown_as_they_are(page, served_molecules):
    opened(page, served_molecules, "molecule", "Molecule")
    pasted(page, "SMILES, one a line", "Cc1ccc([N+](=O)[O-])cc1", "Control+Enter")
    page.get_by_test_id("stCode").get_by_text("Cc1ccc([N+](=O)[O-])cc1").wait_for()
    settled(page)  # the table comes after the drawing
    cells = [cell for row in table(page) for cell in row]
    assert "[N+](=O)[O-]" in " ".join(cells) or "O=[N+][O-]" in " ".join(cells)


def test_a_molecule_can_be_drawn(chromium, served_molecules):
    pytest.importorskip("streamlit_ketcher", reason="drawing needs the extra")
    page = chromium.new_page()  # what the editor writes to the console is its own
    page.set_default_timeout(240_000)  # the editor is large
    opened(page, served_molecules, "molecule", "Molecule")
    page.get_by_text("A drawing", exact=True).click()
    settled(page)
    sketch = page.frame_locator("iframe")
    sketch.get_by_role("button", name="Apply").wait_for()
    sketch.locator("svg path").first.wait_for(state="attached")
    assert page.get_by_text("What each fragment adds").is_visible()
    page.close()


def test_a_table_of_molecules_is_taken(page, served_molecules, tmp_path):
    file = tmp_path / "mine.csv"
    smiles = ["CCO", "CC(=O)O", "c1ccccc1Cl", "CCN", "C1CCCCC1O", "CC(C)=O", "CC#N", "OCCO",
              "c1ccncc1", "CC(=O)N", "CCOC(=O)C", "O=C1CCCC1"]  # fmt: skip
    file.write_text("name,structure\n" + "\n".join(f"m{i},{s}" for i, s in enumerate(smiles)))
    opened(page, served_molecules, "molecule", "Molecule")
    page.get_by_text("A table", exact=True).click()
    settled(page)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("Molecules are taken from column 'structure'.").wait_for()
    settled(page)
    assert chosen(page, "Look at") == "1: CCO"


def test_a_study_without_molecules_has_no_such_page(page, served):
    opened(page, served)
    assert page.get_by_role("link", name="Molecule").count() == 0
