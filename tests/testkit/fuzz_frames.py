"""``python -m testkit.fuzz_frames SEED TURNS``, run in `tests`: objects of pandas that were changed, and then used.

Prints how many loaded and how many were refused. With ``pickle.loads`` in place of the loader it dies within a minute.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas

import safeload
from safeload.errors import SafeloadError
from testkit.frames import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pd: Any = pandas
KINDS = (pd.DataFrame, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
NUMBERS = (0, 1, -1, 2, 3, 5, 7, 127, -128, 255, 2**15, 2**31 - 1, -(2**31), 2**32, 2**62, 2**63 - 1, -(2**63), 10**6)
CODES = ("O", "f8", "i8", "i4", "i2", "i1", "u1", "?", "M8[ns]", "M8[s]", "M8[D]", "m8[ns]", "S3", "f2", "c16", "V3")
CLASSES = [
    "Index", "RangeIndex", "MultiIndex", "CategoricalIndex", "DatetimeIndex", "PeriodIndex", "IntervalIndex",
    "TimedeltaIndex", "DataFrame", "Series", "Categorical", "arrays.DatetimeArray", "arrays.PeriodArray",
    "arrays.StringArray", "arrays.IntervalArray",
]  # fmt: skip
METHODS = [
    "sum", "mean", "max", "min", "count", "nunique", "describe", "isna", "copy", "cumsum", "value_counts",
    "duplicated", "sort_index", "to_numpy", "reset_index", "shift", "ffill", "dropna", "stack", "to_dict",
    "memory_usage", "infer_objects", "unstack", "factorize", "unique", "sort_values", "argsort", "to_list",
    "tolist", "to_frame", "remove_unused_levels", "to_flat_index", "to_series", "to_dense",
]  # fmt: skip


class Fuzzer:
    """Changes one object of a pickle, chosen by chance, before it is written."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.values = list(objects().values())
        self.pool: list[Any] = []
        for value in self.values:
            _Writer(4, self._collect).dump(value)

    def _collect(self, value: Any) -> Any:
        self.pool.append(value)
        return NotImplemented

    def stream(self) -> bytes:
        value, protocol = self.chance.choice(self.values), self.chance.randrange(2, 6)
        writer = _Writer(protocol, lambda _: NotImplemented)
        writer.dump(value)
        target = self.chance.randint(1, max(writer.count, 1))
        changing = _Writer(protocol, lambda each: self._forged(each.__reduce_ex__(protocol)), target)
        changing.dump(value)
        return changing.buffer.getvalue()

    def _forged(self, reduction: Any) -> Any:
        if not isinstance(reduction, tuple):
            return reduction
        parts = list(reduction[:3]) if len(reduction) > 2 and reduction[2] is not None else list(reduction[:2])
        if len(parts) > 2 and self.chance.random() < 0.1:
            return tuple(parts[:2])
        place = len(parts) - 1 if self.chance.random() < 0.7 else 1
        changed = self.changed(parts[place])
        parts[place] = changed if place == 2 or isinstance(changed, tuple) else (changed,)
        return tuple(parts)

    def changed(self, value: Any) -> Any:
        if self.chance.random() < 0.1:
            return self.chance.choice(self.pool)
        if isinstance(value, type):
            name = self.chance.choice(CLASSES)
            return getattr(pd.arrays, name[7:]) if "." in name else getattr(pd, name)
        if isinstance(value, np.ndarray) and value.ndim:
            return self._array(value)
        if isinstance(value, np.dtype):
            return np.dtype(self.chance.choice(CODES))
        if isinstance(value, slice):
            parts = (value.start, value.stop, value.step)
            return slice(*(self.changed(part) if self.chance.random() < 0.4 else part for part in parts))
        if type(value) in (tuple, list) and value:
            return type(value)(self._items(list(value)))
        if type(value) is dict and value:
            name = self.chance.choice(list(value))
            return {**value, name: self.changed(value[name])}
        if isinstance(value, int):
            return self.chance.choice(NUMBERS)
        if isinstance(value, str):
            return self.chance.choice(["", "D", "ns", "both", "period[0D]", "period[-3M]", "python", "x" * 200])
        return self.chance.choice([None, 0, "a", [], {}, (), 2.5, slice(0, 2, 1), slice(5, None, -1)])

    def _items(self, items: list[Any]) -> list[Any]:
        place, turn = self.chance.randrange(len(items)), self.chance.random()
        if turn < 0.1:
            return items[:place] + items[place + 1 :]
        if turn < 0.2:
            return [*items, items[place]]
        return [*items[:place], self.changed(items[place]), *items[place + 1 :]]

    def _array(self, value: Any) -> Any:
        if value.size and value.dtype.kind in "iufb" and self.chance.random() < 0.5:
            number = self.chance.choice(NUMBERS)
            copy = value.astype("i8") if value.dtype.kind in "iu" and abs(number) > 127 else value.copy()
            copy.flat[self.chance.randrange(value.size)] = number
            return copy
        if self.chance.random() < 0.3:
            try:
                return value.astype(self.chance.choice(CODES))
            except (ValueError, TypeError):
                return value[:0]
        twice = np.concatenate([value, value])
        return self.chance.choice(
            [value[:-1], value[..., None], twice, value[:0], value.T, value.ravel(), value[None], value[::-1]]
        )


class _Writer(pickle.Pickler):
    """Gives each object of pandas, or the one at place `target`, to a function that may reduce it."""

    def __init__(self, protocol: int, reduce: Callable[[Any], Any], target: int | None = None) -> None:
        self.buffer = io.BytesIO()
        super().__init__(self.buffer, protocol)
        self.count, self._reduce, self._target = 0, reduce, target

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type) or type(value).__module__.split(".")[0] not in ("pandas", "dateutil"):
            return NotImplemented
        self.count += 1
        return self._reduce(value) if self._target in (None, self.count) else NotImplemented


def uses(value: Any) -> Iterator[Callable[[], Any]]:
    """What one would do with an object of pandas."""
    if isinstance(value, list | tuple | dict):
        for item in list(value.values() if isinstance(value, dict) else value)[:20]:
            yield from uses(item)
    if type(value).__module__.split(".")[0] != "pandas":
        return
    yield lambda: repr(value)
    yield lambda: pickle.dumps(value)
    yield lambda: list(value)[:100]
    if not isinstance(value, KINDS) or len(value) > 10_000:
        return
    for name in METHODS:
        yield lambda name=name: getattr(value, name)()  # type: ignore[misc]
    yield lambda: value.take([0, -1])
    yield lambda: value[::-1].copy()
    yield lambda: value.astype(str)
    yield lambda: value.astype(object)
    yield lambda: value == value
    yield lambda: value.reindex(value.index[::-1])
    yield lambda: value.loc[value.index[0]]
    yield lambda: [value.iloc[:, n].sum() for n in range(value.shape[1])]
    yield lambda: value.groupby(level=0).first()
    yield lambda: value.groupby(value).size()
    yield lambda: value.groupby(list(value.columns)[:2]).size()
    yield lambda: value.merge(value, left_index=True, right_index=True)
    yield lambda: pd.concat([value, value])
    yield lambda: value.insert(0, "new", 1)
    yield lambda: value.union(value[::-1])
    yield lambda: value.get_indexer(value)
    yield lambda: value.join(value[1:], how="outer", return_indexers=True)
    yield lambda: value.get_loc(value[0])
    yield lambda: value.sp_index.to_block_index()
    yield lambda: value.isin(value[:2])
    yield lambda: value.repeat(2)
    if isinstance(value, pd.DataFrame | pd.Series):
        yield from uses(value.index)
        yield from uses([block.values for block in value._mgr.blocks])
    elif isinstance(value, pd.MultiIndex):
        yield from uses(list(value.levels))


def main(seed: int, turns: int) -> None:
    fuzzer = Fuzzer(seed)
    loaded = refused = 0
    for _ in range(turns):
        try:
            data = fuzzer.stream()
        except Exception:  # noqa: S112  # it cannot be written
            continue
        try:
            value = safeload.load_untrusted(io.BytesIO(data))
        except SafeloadError:
            refused += 1
            continue
        loaded += 1
        for use in uses(value):
            with contextlib.suppress(Exception):  # whatever it raises, it did not crash
                use()
    sys.stdout.write(f"{loaded} {refused}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
