"""The states of numpy's bit generators: their setters take a position for granted, and the next draw reads there.

``MT19937`` and ``Philox`` with a position outside of their buffer crash; ``SFC64`` reads four words of however many
there are. Sources: numpy/random/_mt19937.pyx, _philox.pyx, _pcg64.pyx and _sfc64.pyx (the ``state`` setters).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["named_state", "number", "state_of", "words"]

Key = tuple[str, str]
_HALF_WORD = range(1 << 32)
_TWO_WORDS = range(1 << 128)


def number(value: Any, allowed: range, key: Key) -> int:
    require(type(value) is int and value in allowed, key)
    return int(value)


def words(array: Any, kind: str, count: int, key: Key) -> Any:
    import numpy as np

    require(type(array) is np.ndarray and array.dtype == kind and array.shape == (count,), key)
    return array.copy()


def _dict(value: Any, names: set[str], key: Key) -> dict[str, Any]:
    require(type(value) is dict and value.keys() == names, key)
    checked: dict[str, Any] = value
    return checked


def _mt19937(state: dict[str, Any], key: Key) -> dict[str, Any]:
    inner = _dict(_dict(state, {"bit_generator", "state"}, key)["state"], {"key", "pos"}, key)
    keys = words(inner["key"], "u4", 624, key)
    # From zeros come zeros for ever, and a normal number is drawn again until it is none.
    require(bool(keys[0] >> 31) or bool(keys[1:].any()), key)
    return {"state": {"key": keys, "pos": number(inner["pos"], range(625), key)}}


def _with_half(state: dict[str, Any], names: set[str], key: Key) -> dict[str, Any]:
    """The half of a 64-bit word that waits for the next 32-bit number."""
    _dict(state, {"bit_generator", "state", "has_uint32", "uinteger", *names}, key)
    return {
        "has_uint32": number(state["has_uint32"], range(2), key),
        "uinteger": number(state["uinteger"], _HALF_WORD, key),
    }


def _pcg64(state: dict[str, Any], key: Key) -> dict[str, Any]:
    half = _with_half(state, set(), key)
    inner = _dict(state["state"], {"state", "inc"}, key)
    numbers = {name: number(inner[name], _TWO_WORDS, key) for name in ("state", "inc")}
    require(numbers["inc"] % 2 == 1, key)  # as numpy makes it: with 0 the state 0 stays 0
    return half | {"state": numbers}


def _philox(state: dict[str, Any], key: Key) -> dict[str, Any]:
    half = _with_half(state, {"buffer", "buffer_pos"}, key)
    inner = _dict(state["state"], {"counter", "key"}, key)
    return half | {
        "state": {"counter": words(inner["counter"], "u8", 4, key), "key": words(inner["key"], "u8", 2, key)},
        "buffer": words(state["buffer"], "u8", 4, key),
        "buffer_pos": number(state["buffer_pos"], range(5), key),
    }


def _sfc64(state: dict[str, Any], key: Key) -> dict[str, Any]:
    half = _with_half(state, set(), key)
    return half | {"state": {"state": words(_dict(state["state"], {"state"}, key)["state"], "u8", 4, key)}}


_STATES: Mapping[str, Callable[[dict[str, Any], Key], dict[str, Any]]] = {
    "MT19937": _mt19937,
    "PCG64": _pcg64,
    "PCG64DXSM": _pcg64,
    "Philox": _philox,
    "SFC64": _sfc64,
}


def named_state(name: Any, state: Any, key: Key) -> dict[str, Any]:
    """A fresh copy of a `state` that fits a bit generator of the class `name`."""
    require(type(state) is dict and type(name) is str and name in _STATES, key)
    require(state.get("bit_generator") == name, key)
    return {"bit_generator": name, **_STATES[name](state, key)}


def state_of(bits: Any, state: Any, key: Key) -> dict[str, Any]:
    """A fresh copy of a `state` that fits the bit generator `bits`."""
    return named_state(type(bits).__name__, state, key)
