"""Indexes of several levels: a code that is beyond its level is read past its end, and nothing looks.

Source: pandas/core/indexes/multi.py.
"""

from __future__ import annotations

from typing import Any

from safeload.engine.contracts.pandas_memory import inside, once
from safeload.engine.contracts.pandas_parts import internal, library, whole
from safeload.engine.valid import require

__all__ = ["LENGTH_MAX", "length_alone", "multi_index"]

Key = tuple[str, str]
# Of what has a length and no data: written out, it takes 128 MiB.
LENGTH_MAX = 1 << 24
_NAMES = ("levels", "codes", "names")
_SORTED_MAX = 64
_CODES = ("i1", "i2", "i4", "i8")


def length_alone(value: Any) -> int:
    """The length of an index that only counts, or of an array of nulls, which no bytes of the file stand for."""
    pandas = library()
    array = value._values if isinstance(value, pandas.Index) and type(value) is pandas.Index else value
    nulls = isinstance(array, pandas.arrays.ArrowExtensionArray) and str(array._pa_array.type) == "null"
    return len(value) if nulls or type(value) is pandas.RangeIndex else 0


def multi_index(kind: Any, state: dict[str, Any], key: Key) -> Any:
    """Codes that their levels have."""
    pandas = library()
    require(state.keys() == {*_NAMES, "sortorder"}, key)
    given = [state[name] for name in _NAMES]
    require(all(type(each) is list for each in given), key)
    levels, codes, names = (each.copy() for each in given)
    for each in given:
        each.clear()  # pandas makes new ones for each index, and a name for a long list costs three bytes
    require(0 < len(levels) == len(codes) == len(names), key)
    require(all(isinstance(level, pandas.Index) and type(level) is not kind for level in levels), key)
    require(sum(map(length_alone, levels)) <= LENGTH_MAX, key)
    fresh = [_codes(*pair, key) for pair in zip(codes, levels, strict=True)]
    require(len({len(each) for each in fresh}) == 1, key)
    # Not verified by pandas, which would hash each level to see whether its labels are unique.
    made = kind(levels, fresh, names=names, verify_integrity=False)
    return _ordered(made, state["sortorder"], key)


def _ordered(made: Any, order: Any, key: Key) -> Any:
    """With the number of levels by which it is sorted. To count them takes the square of their number."""
    require(order is None or whole(order, 0, made.nlevels), key)
    if order is not None and made.nlevels <= _SORTED_MAX:
        require(order <= made._lexsort_depth, key)
        made.sortorder = order
    return made


def _codes(codes: Any, level: Any, key: Key) -> Any:
    """As wide as pandas has them. Nobody writes to codes: of one array, several indexes have the same copy."""
    import numpy as np

    require(type(codes) is np.ndarray and codes.ndim == 1 and codes.dtype in _CODES, key)
    require(inside(codes, -1, len(level)), key)
    wanted = internal("core.dtypes.cast.coerce_indexer_dtype")(np.empty(0, np.int8), level).dtype
    return once(codes, wanted.char, lambda: codes.astype(wanted))
