"""What turns words and categories into columns: places beyond the width of a sparse result.

A sparse matrix made of such places is not checked again, and whoever multiplies it reads or writes beyond.
Sources: sklearn/feature_extraction/text.py (``_count_vocab``), _dict_vectorizer.py, _hashing_fast.pyx (divides by
``n_features``), sklearn/preprocessing/_encoders.py (``OneHotEncoder.transform``) and _label.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array, each, indices, key_of, number
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_INT32 = 2**31 - 1
_HASH_MODULUS = 2**61 - 1


def _places(names: Any) -> bool:
    """Whether a dict gives each name a place in a row as long as itself. No other mapping: a default is a place too."""
    import numpy as np

    if type(names) is not dict:
        return False
    places = np.fromiter(names.values(), np.int64, len(names))
    return indices(places, len(names))


def _vocabulary(state: dict[str, Any]) -> bool:
    return _word_groups(state) and ("vocabulary_" not in state or _places(state["vocabulary_"]))


def _word_groups(state: dict[str, Any]) -> bool:
    """Groups of a negative number of words are looked for at as many places more, for each such number up to zero."""
    sizes = state.get("ngram_range", (1, 1))
    return type(sizes) in (tuple, list) and len(sizes) == 2 and all(map(number, sizes))


def _label_sets(state: dict[str, Any]) -> bool:
    """Each class has a column: of two that are equal the second one's would be beyond the width."""
    if "classes_" not in state:
        return True
    cached, classes = state.get("_cached_dict"), state["classes_"]
    if not array(classes, (None,)) or not _plain(classes) or len(set(classes.tolist())) != len(classes):
        return False
    return cached is None or (_places(cached) and len(cached) == len(classes))


def _plain(values: Any) -> bool:
    """Labels that are quickly hashed: a tuple of two times itself, forty times over, is hashed for hours."""
    if values.dtype.kind != "O":
        return True
    return all(_is_label(one) or (type(one) is tuple and all(map(_is_label, one))) for one in values)


def _is_label(value: Any) -> bool:
    if type(value) is int:
        return -_HASH_MODULUS < value < _HASH_MODULUS  # beyond, many have the same hash
    return not isinstance(value, tuple | frozenset)


def _hashed_classes(state: dict[str, Any]) -> bool:
    return "classes_" not in state or (array(state["classes_"], (None,)) and _plain(state["classes_"]))


def _hashed_categories(state: dict[str, Any]) -> bool:
    return all(array(one, (None,)) and _plain(one) for one in state.get("categories_", ()))


def _labels(state: dict[str, Any]) -> bool:
    """Labels are looked up by bisection, which goes beyond the end where nan or an own order leave them unsorted."""
    if "classes_" not in state:
        return True
    classes = state["classes_"]
    return array(classes, (None,), "biufcOSUMm") and _plain(classes) and bool((classes[:-1] < classes[1:]).all())


def _hashed(state: dict[str, Any]) -> bool:
    """The remainder of a division by ``n_features`` is the place."""
    return _word_groups(state) and number(state.get("n_features", 1), 1) and state.get("n_features", 1) <= _INT32


def _check_encoders(encoders: list[Any]) -> None:
    """What the estimator computes of its categories is what it keeps."""
    for one in encoders:
        state = vars(one)
        if "_n_features_outs" in state:
            require(all(map(_sorted, state["categories_"])) and _grouped(state), key_of(one))
            require(state["_n_features_outs"] == one._compute_n_features_outs(), key_of(one))


def _sorted(categories: Any) -> bool:
    """Numbers are looked up by bisection, which goes beyond the end of what is not sorted. Nan comes last."""
    if categories.ndim != 1 or categories.dtype.kind in "OSU":
        return bool(categories.ndim == 1)
    behind = categories[1:]
    return bool(((categories[:-1] <= behind) | (behind != behind)).all())


def _grouped(state: dict[str, Any]) -> bool:
    """Categories that are dropped exist, and those that stand for rare ones."""
    widths = [len(categories) for categories in state["categories_"]]
    rare: Any = [None] * len(widths)
    groups: Any = rare
    if state["_infrequent_enabled"]:
        rare, groups = state["_infrequent_indices"], state["_default_to_infrequent_mappings"]
    left = []
    for width, few, group in zip(widths, rare, groups, strict=True):
        left.append(width if few is None else width - len(few) + 1)
        if not (group is None and few is None) and not (len(group) == width and indices(group, left[-1])):
            return False
    dropped = state["_drop_idx_after_grouping"]
    return dropped is None or (
        len(dropped) == len(left)
        and all(one is None or (number(one) and one < width) for one, width in zip(dropped, left, strict=True))
    )


CHECKERS: Mapping[Key, Checker] = {
    ("sklearn.feature_extraction._dict_vectorizer", "DictVectorizer"): each(_vocabulary),
    ("sklearn.feature_extraction._hash", "FeatureHasher"): each(_hashed),
    ("sklearn.feature_extraction.text", "CountVectorizer"): each(_vocabulary),
    ("sklearn.feature_extraction.text", "HashingVectorizer"): each(_hashed),
    ("sklearn.preprocessing._encoders", "OneHotEncoder"): _check_encoders,
    ("sklearn.preprocessing._encoders", "_BaseEncoder"): each(_hashed_categories),
    ("sklearn.preprocessing._label", "LabelBinarizer"): each(_labels),
    ("sklearn.preprocessing._label", "LabelEncoder"): each(_hashed_classes),
    ("sklearn.preprocessing._label", "MultiLabelBinarizer"): each(_label_sets),
}
