"""Frames and series: blocks of columns under a manager, rebuilt from parts that fit each other.

A block whose values are shorter than its index, or whose place is beyond the last column, is read past its end.
Sources: pandas/_libs/internals.pyx, pandas/core/internals/managers.py and blocks.py, pandas/core/generic.py.
"""

from __future__ import annotations

import functools
import weakref
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_blocks import BlockPart, block_of, row_of, span_of, unpickle_block
from safeload.engine.contracts.pandas_indexes import axis_of
from safeload.engine.contracts.pandas_levels import LENGTH_MAX, length_alone
from safeload.engine.contracts.pandas_memory import once
from safeload.engine.contracts.pandas_parts import PLACES, PandasStub, Part, attributes, bare, internal, library
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from safeload.engine.stubs import Stub

__all__ = ["FINISHERS", "GUARDS", "STUBS"]

Key = tuple[str, str]
_MANAGER: Key = ("pandas.core.internals.managers", "BlockManager")
_SINGLE: Key = ("pandas.core.internals.managers", "SingleBlockManager")
_BLOCK: Key = ("pandas._libs.internals", "_unpickle_block")
_MANAGER_PATH, _SINGLE_PATH = "core.internals.managers.BlockManager", "core.internals.managers.SingleBlockManager"
_NAMES = {"_mgr", "_typ", "_metadata", "attrs", "_flags"}
_FLAG = "allows_duplicate_labels"
# Columns that no data stand behind: an index that only counts can be of any length.
_BARE_COLUMNS_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class ManagerPart(Part):
    """What becomes the manager of one frame or series."""

    axes: tuple[Any, ...]
    blocks: tuple[BlockPart, ...]


def _manager(*args: Any) -> ManagerPart:
    """``BlockManager(blocks, axes)``, the columns before the index."""
    require(len(args) == 2 and type(args[0]) is tuple and type(args[1]) is list, _MANAGER)
    require(len(args[1]) == 2 and all(type(part) is BlockPart for part in args[0]), _MANAGER)
    return ManagerPart(tuple(args[1]), args[0])


def _single_manager(stub: Any) -> ManagerPart:
    """Checkpoint: the state says everything twice, for pandas below 0.14, which nobody reads."""
    states = bare(stub, _SINGLE)
    require(type(states) is tuple and len(states) == 4 and type(states[3]) is dict, _SINGLE)
    state = states[3].get("0.14.1")
    require(type(state) is dict and state.keys() == {"axes", "blocks"}, _SINGLE)
    axes, blocks = state["axes"], state["blocks"]
    require(type(axes) is list and len(axes) == 1 and type(blocks) is list and len(blocks) == 1, _SINGLE)
    require(type(blocks[0]) is dict and blocks[0].keys() == {"values", "mgr_locs"}, _SINGLE)
    return ManagerPart((axes[0],), (BlockPart(blocks[0]["values"], blocks[0]["mgr_locs"], 1),))


def _state(stub: Any, key: Key, kind: str, names: set[str], axes: int) -> dict[str, Any]:
    """The state of a frame or a series, without whatever a subclass of these would add."""
    state = attributes(stub, key)
    require(state.keys() == _NAMES | names and state["_typ"] == kind, key)
    require(state["_metadata"] == list(names) and type(state["attrs"]) is dict, key)
    flags = state["_flags"]
    require(type(flags) is dict and flags.keys() == {_FLAG} and type(flags[_FLAG]) is bool, key)
    state["_mgr"] = _parts(state["_mgr"], key)
    require(len(state["_mgr"].axes) == axes, key)
    return state


def _parts(manager: Any, key: Key) -> ManagerPart:
    """Under a policy that allows everything nothing guards the call that makes a manager, and pandas makes it."""
    if type(manager) is ManagerPart:
        return manager
    require(type(manager) is internal(_MANAGER_PATH), key)
    blocks = (BlockPart(block.values, block.mgr_locs.indexer, block.ndim) for block in manager.blocks)
    return ManagerPart(tuple(manager.axes), tuple(blocks))


def _finished(made: Any, state: dict[str, Any]) -> Any:
    # Not copied: of one dict, two frames would make two.
    object.__setattr__(made, "_attrs", state["attrs"])
    # Not through the setter: to look whether labels are unique is to hash them all.
    object.__setattr__(made, "_flags", library().Flags(made, **state["_flags"]))
    return made


def _frame(key: Key, stub: Any) -> Any:
    """Checkpoint: every column has its place in one block, and every block a value for each label of the index."""
    pandas = library()
    state = _state(stub, key, "dataframe", set(), 2)
    columns, index = (axis_of(axis, key) for axis in state["_mgr"].axes)
    blocks = [block_of(part, len(columns), len(index), key) for part in state["_mgr"].blocks]
    nothing = sum(length_alone(block.values) for block in blocks)
    items = sum(block.values.size for block in blocks) - nothing
    require(nothing <= LENGTH_MAX, key)
    require(len(index) <= max(LENGTH_MAX, items) and length_alone(columns) <= _BARE_COLUMNS_MAX + items, key)
    require(sum(length_alone(getattr(block.values, "categories", ())) for block in blocks) <= LENGTH_MAX + items, key)
    require(_cover([block.mgr_locs for block in blocks], len(columns)), key)
    manager = internal(_MANAGER_PATH)(tuple(blocks), [columns, index], verify_integrity=True)
    return _finished(pandas.DataFrame._from_mgr(manager, manager.axes), state)


def _cover(placements: list[Any], columns: int) -> bool:
    """Whether each column is in one place. Their number is compared before anything is counted."""
    spans = tuple(span_of(each.indexer) for each in placements)
    if sum(map(len, spans)) != columns:
        return False
    arrays = [span for span in spans if type(span) is not range]
    if not arrays:
        return len(spans) < 2 or _ranges_cover(spans, columns)
    question = (columns, *(span if type(span) is range else id(span) for span in spans))
    known, each = once(arrays[0], question, lambda: (_are_all(spans, columns), [weakref.ref(one) for one in arrays]))
    # Where one is gone, another may have its identity.
    return known if all(one() is not None for one in each) else _are_all(spans, columns)


@functools.lru_cache(maxsize=100)
def _ranges_cover(spans: tuple[range, ...], columns: int) -> bool:
    return _are_all(spans, columns)


def _are_all(spans: Iterable[Any], columns: int) -> bool:
    import numpy as np

    seen = np.zeros(columns, bool)
    for span in spans:
        seen[np.arange(span.start, span.stop, span.step) if type(span) is range else span] = True
    return bool(seen.all())


def _series(key: Key, stub: Any) -> Any:
    """Checkpoint: one block of one dimension, as long as its index."""
    pandas = library()
    state = _state(stub, key, "series", {"_name"}, 1)
    (part,) = state["_mgr"].blocks
    index = axis_of(state["_mgr"].axes[0], key)
    manager = internal(_SINGLE_PATH)(row_of(part, len(index), key), index)
    made = _finished(pandas.Series._from_mgr(manager, manager.axes), state)
    made.name = state["_name"]
    return made


GUARDS: Mapping[Key, Callable[..., Any]] = {_MANAGER: _manager, _BLOCK: unpickle_block}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    _SINGLE: _single_manager,
    **{(module, "DataFrame"): partial(_frame, (module, "DataFrame")) for module in PLACES["DataFrame"]},
    **{(module, "Series"): partial(_series, (module, "Series")) for module in PLACES["Series"]},
}
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(FINISHERS, PandasStub)
