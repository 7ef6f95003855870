"""Trees from xgboost's booster, and back into one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from explain_distill._types import Json
from explain_distill.students.tree_arrays import TreeArrays

if TYPE_CHECKING:
    import xgboost

VERSION = [3, 2, 0]  # of xgboost, whose form this is; later ones read it, too
NO_PARENT = 2**31 - 1
CATEGORY_KEYS = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def trees_of(booster: xgboost.Booster, n_outputs: int) -> TreeArrays:
    """Read a booster's trees."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]
    trees = model["trees"]
    sizes = np.array([len(tree["left_children"]) for tree in trees])
    roots = np.concatenate([[0], sizes.cumsum()[:-1]]).astype(np.int64)
    offsets = np.repeat(roots, sizes)
    left = _joined(trees, "left_children", np.int64)
    right = _joined(trees, "right_children", np.int64)
    leaf = left == -1
    own = np.arange(len(left))
    left, right = np.where(leaf, own, left + offsets), np.where(leaf, own, right + offsets)
    conditions = _joined(trees, "split_conditions", np.float32)
    nothing = np.float32(0)
    return TreeArrays(
        features=np.where(leaf, 0, _joined(trees, "split_indices", np.int64)),
        thresholds=np.where(leaf, nothing, conditions),
        missing_right=~leaf & (_joined(trees, "default_left", np.int64) == 0),
        values=np.where(leaf, conditions, nothing),
        covers=_joined(trees, "sum_hessian", np.float32),
        gains=np.where(leaf, nothing, _joined(trees, "loss_changes", np.float32)),
        children=np.stack([left, right], axis=1).ravel(),
        roots=roots,
        outputs=np.array(model["tree_info"], dtype=np.int64),
        n_outputs=n_outputs,
    )


def booster_of(trees: TreeArrays, n_features: int) -> xgboost.Booster:
    """Build xgboost's form of the trees, for predicting many rows and for TreeSHAP."""
    import xgboost

    rounds = len(trees) // trees.n_outputs
    model = {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
        "iteration_indptr": [trees.n_outputs * number for number in range(rounds + 1)],
        "tree_info": trees.outputs.tolist(),
        "trees": [_document(trees, number, n_features) for number in range(len(trees))],
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": {
            "base_score": f"[{','.join(['0E0'] * trees.n_outputs)}]",
            "boost_from_average": "0",
            "num_class": "0",
            "num_feature": str(n_features),
            "num_target": str(trees.n_outputs),
        },
        "objective": {
            "name": "reg:squarederror",
            "reg_loss_param": {"scale_pos_weight": "1"},
        },
    }
    built = xgboost.Booster()
    built.load_model(bytearray(json.dumps({"learner": learner, "version": VERSION}).encode()))
    return built


def _document(trees: TreeArrays, number: int, n_features: int) -> Json:
    """Describe one tree as xgboost's JSON does."""
    first, end = trees.nodes_of(number)
    nodes = slice(first, end)
    leaf = trees.is_leaf[nodes]
    children = trees.children[2 * first : 2 * end].reshape(-1, 2) - first
    parents = np.full(end - first, NO_PARENT)
    parents[children[~leaf]] = np.flatnonzero(~leaf)[:, None]
    left, right = np.where(leaf, -1, children.T).tolist()
    nothing = [0] * (end - first)
    return {
        "base_weights": trees.values[nodes].tolist(),
        **{key: [] for key in CATEGORY_KEYS},
        "default_left": (~trees.missing_right[nodes]).astype(int).tolist(),
        "id": number,
        "left_children": left,
        "loss_changes": trees.gains[nodes].tolist(),
        "parents": parents.tolist(),
        "right_children": right,
        "split_conditions": (trees.thresholds + trees.values)[nodes].tolist(),  # one of them is 0
        "split_indices": trees.features[nodes].tolist(),
        "split_type": nothing,
        "sum_hessian": trees.covers[nodes].tolist(),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(n_features),
            "num_nodes": str(end - first),
            "size_leaf_vector": "1",
        },
    }


def _joined(trees: list[Json], key: str, dtype: type) -> np.ndarray:
    return np.concatenate([np.asarray(tree[key], dtype=dtype) for tree in trees])
