"""What fidelity_at_size.py measured, tree by tree, and the file that it is kept in."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

Json = dict[str, Any]


@dataclass
class Measured:
    """The results, tree by tree.

    Parameters
    ----------
    splits : list of dict
        One a table and seed: the numbers of rows, the groups of the test rows, the teacher's
        accuracy or R².
    trees : list of dict
        One a table, seed, tool and number of leaves: the disagreement, and on which rows.
    """

    splits: list[Json] = field(default_factory=list)
    trees: list[Json] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Measured:
        """Read what was measured before; nothing where there is no file yet."""
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def write(self, path: Path) -> None:
        """Write all of it, one line a tree; the file is the old one or the new one."""
        parts = [
            f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]"
            for name, rows in (("splits", self.splits), ("trees", self.trees))
        ]
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text("{\n" + ",\n".join(parts) + "\n}\n")
        draft.replace(path)

    def missing(
        self, table: str, seed: int, wanted: Sequence[tuple[str, int]]
    ) -> list[tuple[str, int]]:
        """Give the trees (tool, leaves) that were not measured yet."""
        known = {(t["table"], t["seed"], t["tool"], t["leaves"]) for t in self.trees}
        return [(tool, size) for tool, size in wanted if (table, seed, tool, size) not in known]

    def add(self, split: Json, tree: Json) -> None:
        """Keep one tree's result, and what is known of its split."""
        if split not in self.splits:
            self.splits.append(split)
        self.trees.append(tree)

    def rows(self, table: str, leaves: int, tool: str) -> dict[int, np.ndarray]:
        """Say for each seed which test rows disagree: 0 and 1, ``(n_test,)``."""
        return {
            tree["seed"]: self._unpacked(tree)
            for tree in self.trees
            if (tree["table"], tree["leaves"], tree["tool"]) == (table, leaves, tool)
        }

    def _unpacked(self, tree: Json) -> np.ndarray:
        packed = np.frombuffer(base64.b64decode(tree["rows"]), dtype=np.uint8)
        n_test = self.split(tree["table"], tree["seed"])["n_test"]
        return np.unpackbits(packed, count=n_test).astype(np.float64)

    def split(self, table: str, seed: int) -> Json:
        """Give what is known of a table and seed."""
        return self._splits[table, seed]

    @cached_property
    def _splits(self) -> dict[tuple[str, int], Json]:
        return {(split["table"], split["seed"]): split for split in self.splits}

    def named(self, what: str) -> list[Any]:
        """Give the tables, tools or leaves there are, in the order in which they came."""
        return list(dict.fromkeys(tree[what] for tree in self.trees))
