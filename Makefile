# The same commands on a laptop and in CI.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo app test lint bench clean

demo: .venv/installed
	$(BIN)/explain-distill demo --out demo --force

app: .venv/installed
	$(BIN)/explain-distill app $(wildcard demo)

test: .venv/installed
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# torch goes first and alone: with its exact version given, pip takes the build that the index offers for this
# machine, and nothing that follows can pull another one.
.venv/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' requirements.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

bench: .venv/installed
	$(BIN)/python benchmarks/reasons.py

clean:
	rm -rf .venv build dist demo *.egg-info
