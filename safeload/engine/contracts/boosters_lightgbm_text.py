"""The text of a model of lightgbm: whether what its C++ takes from it on trust is so.

Source: ``GBDT::LoadModelFromString`` and ``Tree::Tree(const char*, size_t*)`` of lightgbm 4. Trees are parsed in
threads, where an error ends the process; children, features and categories are followed without a look.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["is_model"]

_TREE, _END = "\nTree=", "end of trees\n"
# Numbers are looked at in their outline: for every leaf there are ten, and a look at each would take long.
# 0 stands for a digit and - for a sign; what is never in an outline would begin no number.
_FLOATS = bytes.maketrans(b"123456789E+", b"000000000e-")
_INTS = bytes.maketrans(b"123456789.e", b"000000000xx")
_NO_FLOATS = (b"  ", b" .", b" e", b"- ", b"--", b"-.", b"-e")
_NO_INTS = (b"  ", b"- ", b"--", b"0-")
_WORDS = re.compile(r"(?:[-+]?(?:\d++(?:\.\d*+)?(?:e[-+]?\d++)?|inf|nan)(?: |$))*+", re.IGNORECASE)
_PARAMETER = re.compile(r"\[\w+: .*\]")
_ITEMS_MAX = 1 << 31
# How many numbers stand in a tree under each of these keys: one for each split, or for each leaf.
_SPLITS = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_SPLITS_TOO = ("split_gain", "internal_value", "internal_weight", "internal_count")  # not in every version
_LEAVES_TOO = ("leaf_weight", "leaf_count")
_CATEGORICAL = 1  # the bit of a decision type


def is_model(text: str) -> bool:
    """Whether the header and the trees of `text` agree with one another."""
    try:
        return "\0" not in text and "\r" not in text and _agrees(text)  # which end a text, or a line, too
    except (ValueError, KeyError, OverflowError):  # a number that is none, a key that is not there
        return False


def _agrees(text: str) -> bool:
    first = text.find(_TREE)
    begin = first + 1 if first >= 0 else text.index(_END)
    header = _fields(text[:begin])
    classes, features = int(header["num_class"]), int(header["max_feature_idx"]) + 1
    sizes = [int(size) for size in header["tree_sizes"].split()]
    objective = re.search(r"\bnum_class:(\S+)", header.get("objective", ""))
    if not (
        0 < classes == int(header["num_tree_per_iteration"]) < _ITEMS_MAX
        and 0 < features == len(header["feature_names"].split(" ")) == len(header["feature_infos"].split(" "))
        and (objective is None or int(objective[1]) == classes)
        and len(sizes) % classes == 0
        and min(sizes, default=1) > 0
    ):
        return False
    for size in sizes:  # each is read from where the sizes before it say
        if not (text.startswith(_TREE[1:], begin) and _is_tree(text[begin : begin + size], features)):
            return False
        begin += size
    return text.startswith(_END, begin) and _are_parameters(text[begin:].split("\n"))


def _are_parameters(lines: list[str]) -> bool:
    """How it was trained: of a line without a colon, C++ takes what is behind it."""
    inside = False
    for line in lines:
        if line.startswith("end of parameters"):
            return True
        if inside and line and not _PARAMETER.fullmatch(line):
            return False
        inside = inside or line.startswith("parameters:")
    return not inside


def _fields(lines: str) -> dict[str, str]:
    """By their keys, of which each stands there once. Raises ValueError."""
    pairs = [line.partition("=")[::2] for line in lines.split("\n") if line]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands there twice")
    return fields


def _is_tree(text: str, features: int) -> bool:
    import numpy as np

    fields = _fields(text)
    leaves, categories = int(fields["num_leaves"]), int(fields["num_cat"])
    if not (0 < leaves < _ITEMS_MAX and 0 <= categories < _ITEMS_MAX and text.isascii()):
        return False
    linear = int(fields.get("is_linear", "0"))
    if linear not in (0, 1) or not _numbers(fields["leaf_value"], leaves):
        return False
    if not all(_numbers(fields[key], leaves - 1) for key in _SPLITS if leaves > 1):
        return False
    if not all(_numbers(fields[key], leaves - 1) for key in _SPLITS_TOO if fields.get(key)):
        return False
    if not all(_numbers(fields[key], leaves) for key in _LEAVES_TOO if fields.get(key)):
        return False
    if not _numbers(fields.get("shrinkage", "1"), 1) or (linear and not _is_linear(fields, leaves, features)):
        return False
    if leaves == 1:
        return True
    left, right, split = (_whole(fields[key]) for key in ("left_child", "right_child", "split_feature"))
    # Every leaf is a child once, and so is every split but the first.
    children = np.sort(np.concatenate([left, right]))
    expected = np.arange(-leaves, leaves - 1)
    if not (np.array_equal(children, expected[expected != 0]) and _within(split, features)):
        return False
    return _has_categories(fields, categories)


def _has_categories(fields: dict[str, str], categories: int) -> bool:
    """Splits by category say by their threshold which of the sets of categories is theirs."""
    import numpy as np

    is_set = (_whole(fields["decision_type"]) & _CATEGORICAL) != 0
    if categories == 0:
        return not np.any(is_set)
    asked = np.array([*map(float, fields["threshold"].split())])[is_set]
    if not (np.all(asked >= 0) and np.all(asked < categories)):
        return False
    ends, sets = _whole(fields["cat_boundaries"]), _whole(fields["cat_threshold"])
    return (
        len(ends) == categories + 1
        and ends[0] == 0
        and ends[-1] == len(sets)
        and bool(np.all(np.diff(ends) >= 0))
        and _within(sets, 1 << 32)
    )


def _is_linear(fields: dict[str, str], leaves: int, features: int) -> bool:
    """Leaves that are linear functions of some features."""
    counts = _whole(fields["num_features"])
    used = _whole(fields["leaf_features"])
    return (
        _numbers(fields["leaf_const"], leaves)
        and len(counts) == leaves
        and _within(counts, features + 1)
        and int(counts.sum()) == len(used) == len(fields["leaf_coeff"].split())
        and all(_numbers(part, 1) for part in fields["leaf_coeff"].split())
        and _within(used, features)
    )


def _numbers(text: str, count: int) -> bool:
    """Whether these are so many numbers, with one blank between two."""
    if text.count(" ") != count - 1 if count else text:
        return False
    return not text or _is_like(text, _FLOATS, _NO_FLOATS) or _WORDS.fullmatch(text) is not None


def _is_like(text: str, table: bytes, never: tuple[bytes, ...]) -> bool:
    outline = f" {text} ".encode().translate(table)
    return not outline.translate(None, b"0-.e ") and not any(each in outline for each in never)


def _whole(text: str) -> np.ndarray[Any, Any]:
    import numpy as np

    text = " ".join(text.split())  # of leaves without a feature only the blanks between them are there
    if not text:
        return np.zeros(0, np.int64)
    if not _is_like(text, _INTS, _NO_INTS):
        raise ValueError("these are no whole numbers")
    return np.fromstring(text, np.int64, sep=" ")


def _within(values: np.ndarray[Any, Any], end: int) -> bool:
    return values.size == 0 or (int(values.min()) >= 0 and int(values.max()) < end)
