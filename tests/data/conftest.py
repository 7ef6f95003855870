from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def patients():
    """Build a small table that is fine, but for the columns that a test replaces or adds."""

    def build(n_rows=40, **columns):
        rng = np.random.default_rng(0)
        fine = {
            "age": rng.integers(20, 90, n_rows) + 0.5,
            "sex": rng.choice(["female", "male", "unknown"], n_rows),
            "died": np.resize(["yes", "no"], n_rows),
        }
        return pd.DataFrame(fine | columns)

    return build


@pytest.fixture
def write(tmp_path):
    """Write a table, a text or bytes to a file, in the format that its name says."""

    def to_file(content, name="patients.csv") -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        elif name.endswith(".parquet"):
            content.to_parquet(path)
        else:
            content.to_csv(path, index=False)
        return path

    return to_file
