"""The frequency of an index of times: pandas believes it when it joins two of them, and looks at no label."""

from __future__ import annotations

from typing import Any

from safeload.engine.contracts.pandas_parts import library
from safeload.engine.valid import require

__all__ = ["freq_of", "with_freq"]

Key = tuple[str, str]
_SPARE = 1_000


def freq_of(freq: Any, key: Key) -> Any:
    """`freq`, if it is None or an offset."""
    require(freq is None or isinstance(freq, library().offsets.BaseOffset), key)
    return freq


# How much longer a step may be than that behind the first label or before the last: business hours pass over nights.
_LONGER = 1_000


def _spans(index: Any, freq: Any) -> bool:
    """Whether so many steps may lie between the first label and the last: pandas goes through all of them in Python."""
    first, last = index[0], index[-1]
    try:
        steps = (first + freq - first).total_seconds(), (last - (last - freq)).total_seconds()
        return bool(abs((last - first).total_seconds()) <= _LONGER * (len(index) - 1) * max(map(abs, steps)))
    except (TypeError, ValueError, OverflowError):  # labels that are no times, or beyond the last that there is
        return False


def with_freq(index: Any, freq: Any, key: Key) -> Any:
    """`index` with a frequency.

    pandas counts from the first label to the last by steps of a fixed length: nanoseconds between two years would be
    all memory. That the labels have it is not asked: in a coarser unit, pandas' own have not.
    """
    freq = freq_of(freq, key)
    if isinstance(freq, library().offsets.Tick) and len(index) > 1:
        step = library().Timedelta(freq).as_unit(index.unit)._value
        first, last = (int(index.asi8[place]) for place in (0, -1))
        require(step == 0 or len(range(first, last + step, step)) <= 2 * len(index) + _SPARE, key)
    elif freq is not None and len(index) > 1:
        require(_spans(index, freq), key)
    holder = index._data if hasattr(type(index._data), "_freq") else index  # before pandas 3.1 the array
    holder._freq = freq
    return index
