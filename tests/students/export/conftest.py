import pytest
from export_cases import DATA, fitted


@pytest.fixture(scope="session")
def tables():
    return {name: make() for name, make in DATA.items()}


@pytest.fixture(scope="session")
def students(tables):
    """Give a student of a table, fitted once."""
    made = {}

    def give(name, table):
        if (name, table) not in made:
            made[name, table] = fitted(name, tables[table])
        return made[name, table]

    return give
