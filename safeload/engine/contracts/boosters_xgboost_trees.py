"""A model of xgboost as a document: whether what its C++ takes from it on trust is so.

Sources: xgboost/src/tree/tree_model.cc, gbm/gbtree_model.cc, gbm/gblinear_model.h and learner.cc of xgboost 3;
documents of older versions have less keys. Children, features and categories are followed without a look.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["is_model"]

_MANY = 1 << 31
_CATEGORY_MAX = 1 << 24  # the C++ makes a set of bits of as many
_BY_NODE = ("left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left")
_BY_NODE_TOO = ("split_type", "sum_hessian", "loss_changes", "base_weights")


def is_model(document: Any) -> bool:
    """Whether the parts of it agree with one another."""
    try:
        return _agrees(document["learner"])
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError):  # a part of another kind
        return False


def _agrees(learner: dict[str, Any]) -> bool:
    parameters = learner["learner_model_param"]
    features, classes, targets = (int(parameters.get(key, "1")) for key in ("num_feature", "num_class", "num_target"))
    groups = max(classes, targets, 1)
    if not (0 < features < _MANY and 0 <= classes < _MANY and 0 < targets < _MANY and classes * (targets - 1) == 0):
        return False
    objective = learner["objective"]
    asked = [int(part["num_class"]) for part in objective.values() if type(part) is dict and "num_class" in part]
    if any(many != classes for many in asked) or not _is_score(parameters["base_score"], groups):
        return False
    if not all(len(learner.get(key, ())) in (0, features) for key in ("feature_names", "feature_types")):
        return False
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        return len(booster["model"]["weights"]) == (features + 1) * groups
    if booster["name"] not in ("gbtree", "dart"):
        return False
    # Until 3.2 dart is a booster around gbtree and has the weights of the trees; since then they stand in the model.
    dart = booster["name"] == "dart"
    trees = booster["gbtree"] if dart else booster
    weighed = [part["weight_drop"] for part in (booster, trees, trees["model"]) if "weight_drop" in part]
    if dart and not weighed:
        return False
    many = len(trees["model"]["trees"])
    return all(len(weights) == many for weights in weighed) and _are_trees(trees["model"], features, groups)


def _is_score(text: Any, groups: int) -> bool:
    """One number, or one for each group: as text, and in a list since 3.1."""
    score = json.loads(text)
    values = score if type(score) is list else [score]
    return len(values) in (1, groups) and all(type(value) in (int, float) for value in values)


def _are_trees(model: dict[str, Any], features: int, groups: int) -> bool:
    trees, info, parameters = model["trees"], _whole(model["tree_info"]), model["gbtree_model_param"]
    rounds = _whole(model.get("iteration_indptr", [0, len(trees)]))
    return (
        type(trees) is list
        and len(trees) == int(parameters["num_trees"]) == len(info)
        and 0 < int(parameters["num_parallel_tree"]) < _MANY
        and _within(info, 0, groups)
        and len(rounds) > 0
        and rounds[0] == 0
        and rounds[-1] == len(trees)
        and bool((rounds[1:] >= rounds[:-1]).all())
        and all(_is_tree(tree, features, groups) for tree in trees)
        and _are_categories(model.get("cats", {}), features)
    )


def _is_tree(tree: dict[str, Any], features: int, groups: int) -> bool:
    import numpy as np

    parameters = tree["tree_param"]
    nodes, width = int(parameters["num_nodes"]), int(parameters.get("size_leaf_vector", "1"))
    if not (0 < nodes < _MANY and width in (0, 1, groups) and int(parameters["num_deleted"]) >= 0):
        return False
    wide = max(width, 1)
    if not all(len(tree[key]) == nodes for key in _BY_NODE):
        return False
    if not all(len(tree[key]) in (nodes, nodes * wide) for key in _BY_NODE_TOO if key in tree):
        return False
    left, right, parents = (_whole(tree[key]) for key in ("left_children", "right_children", "parents"))
    inner = np.flatnonzero(left != -1)
    leaves = right[left == -1]
    if wide > 1:  # the right child of a leaf is the number of its vector
        weights = len(tree["leaf_weights"])
        if weights % wide or not _within(leaves, 0, weights // wide):
            return False
    elif not (leaves == -1).all():
        return False
    children = np.concatenate([left[inner], right[inner]])
    # No node is a child twice, and the first never: so whoever follows them from there comes to an end.
    if not (_within(children, 1, nodes) and len(np.unique(children)) == len(children)):
        return False
    if not (parents[children] == np.concatenate([inner, inner])).all():
        return False
    return _within(_whole(tree["split_indices"])[inner], 0, features) and _has_sets(tree, nodes, inner)


def _has_sets(tree: dict[str, Any], nodes: int, inner: np.ndarray[Any, Any]) -> bool:
    """Splits by category have a set each, in the order of their nodes, which lie in one list."""
    import numpy as np

    kinds = _whole(tree.get("split_type", np.zeros(nodes, np.int64)))
    if len(kinds) != nodes or not _within(kinds, 0, 2):
        return False
    keys = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    sets, owners, starts, sizes = (_whole(tree.get(key, [])) for key in keys)
    return (
        np.array_equal(owners, inner[kinds[inner] == 1])
        and len(owners) == len(starts) == len(sizes)
        and _within(starts, 0, len(sets))
        and _within(sizes, 1, len(sets) + 1)
        and bool((starts + sizes <= len(sets)).all())
        and _within(sets, 0, _CATEGORY_MAX)
    )


def _are_categories(found: dict[str, Any], features: int) -> bool:
    """The categories of the frame that a model was trained on, since 3.1: texts or numbers for each feature."""
    encoded, segments, order = (found.get(key, []) for key in ("enc", "feature_segments", "sorted_idx"))
    if len(encoded) == 0:
        return len(segments) in (0, features + 1) and len(order) == 0
    counts = [len(one["offsets"]) - 1 if len(one.get("offsets", ())) else len(one["values"]) for one in encoded]
    ends, order = _whole(segments), _whole(order)
    if not (len(encoded) == features == len(ends) - 1 and ends[0] == 0 and ends[-1] == len(order)):
        return False
    if [*(ends[1:] - ends[:-1]).tolist()] != counts:
        return False
    if not all(_within(order[ends[i] : ends[i + 1]], 0, counts[i]) for i in range(features)):
        return False
    return all(_are_texts(one) for one in encoded if len(one.get("offsets", ())))


def _are_texts(one: dict[str, Any]) -> bool:
    offsets = _whole(one["offsets"])
    return offsets[0] == 0 and offsets[-1] == len(one["values"]) and bool((offsets[1:] >= offsets[:-1]).all())


def _whole(values: Any) -> np.ndarray[Any, Any]:
    """As numbers of eight bytes. Raises ValueError for what are none."""
    import numpy as np

    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ValueError("these are no whole numbers")
    return found.astype(np.int64)


def _within(values: np.ndarray[Any, Any], least: int, end: int) -> bool:
    return values.size == 0 or (int(values.min()) >= least and int(values.max()) < end)
