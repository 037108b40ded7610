"""What a stream says may stand in an object's state or in the arguments of a call, whatever the class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.nodes import ARGUMENTS_MAX, Alias, Bag, Global, Made
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["bytes_of", "check_filled_keys", "count_texts", "own", "take", "take_bytes", "take_encoded"]

_SHARED_MIN = 256
# Protocols below 3 spell bytes by the first, protocols below 5 bytearrays by the second.
_SPELLED = frozenset({("_codecs", "encode"), ("builtins", "bytearray")})
# Text becomes bytes, bytes an array, and one contract copies the array: more often only what is used more often.
_COPIES = 3
_COPIED_MAX = 1 << 16
# Names and words are short, and come again and again.
_WORDS = frozenset({op.SHORT_BINUNICODE, op.SHORT_BINSTRING})
_BYTES = frozenset({op.SHORT_BINBYTES, op.BINBYTES, op.BINBYTES8, op.BYTEARRAY8, op.BINSTRING, op.STRING})
_VERSION = re.compile(r"[0-9A-Za-z.+]{1,40}\Z")
# Wrapped functions and frozen distributions have these as attributes, catboost calls a model's bytes "__model"; nothing
# asks an instance for them.
_HARMLESS = frozenset({"__doc__", "__model", "__name__"})
_PLAIN = {int}


def take(machine: Machine, node: Bag | Alias) -> Bag | None:
    """A container becomes the argument of a call: what copies it must not be asked to do so again and again."""
    bag = node.node if isinstance(node, Alias) else node
    if not isinstance(bag, Bag):
        return None
    if bag.owned or not (bag.complete or (bag.plain and not bag.huge)):
        machine.fact("state-shared", "the argument of one call is used again, or is too large to look at")
    bag.owned = True
    return bag


def take_bytes(machine: Machine, token: int) -> None:
    """Bytes that a call or a state copies. numpy makes new ones for each array, so only a bomb uses them twice."""
    if machine.data.view[token] not in _BYTES or machine.data.length(token) < _SHARED_MIN:
        return
    if token in machine.taken:
        machine.fact("bytes-shared", "the bytes of one array are used for another")
    machine.taken.add(token)


def take_encoded(machine: Machine, alias: Alias) -> None:
    """Bytes that a call spells are copied each time as well."""
    made = alias.node
    if isinstance(made, Made) and made.source is not None and made.source.key in _SPELLED:
        count_texts(machine, made.args if isinstance(made.args, tuple) else ())


def own(machine: Machine, source: Global, state: Node) -> None:
    """`state` becomes the state of an object of `source`."""
    if state.__class__ is not Bag:
        _shape(machine, source, state)
        return
    if state.kind != "dict" or state.owned or not state.complete:
        machine.fact("odd-state", f"the state of a {source.module}.{source.name} is no dict of its own")
    state.owned = True
    keys = tuple(state.items[::2])
    if not set(map(type, keys)) <= _PLAIN:  # only then may it be hashed
        machine.fact("odd-attribute", "an attribute is named by no plain string")
        return
    if keys not in machine.layouts:
        machine.layouts[keys] = _version_at(machine, keys)
    at = machine.layouts[keys]
    if at is not None:
        _check_version(machine, state.items[2 * at + 1])
    if source.watched:
        count_texts(machine, state.items[1::2])
    if not state.plain:
        for value in state.items[1::2]:
            if value.__class__ is Global:
                value.give(source.key)


def count_texts(machine: Machine, values: Iterable[Node]) -> None:
    """A library reads each text anew, however often the same one stands there: a booster's model is megabytes."""
    for value in values:
        token = value if value.__class__ is int else bytes_of(value)
        if token.__class__ is int and machine.data.view[token] not in _WORDS:
            machine.spent.copied += machine.data.length(token)
    if machine.spent.copied > _COPIES * machine.data.size + _COPIED_MAX:
        machine.fact("bytes-shared", "the text of one object is used for another")


def bytes_of(value: Node) -> Node:
    """Where the bytes of an array stand: a contract copies them for each object that names the array."""
    made = value.node if isinstance(value, Alias) else value
    if not isinstance(made, Made):
        return None
    parts = made.state if isinstance(made.state, tuple) and made.state else made.args
    place = -1 if parts is made.state else 0
    data = parts[place] if isinstance(parts, tuple) and parts else None
    return data.args[0] if isinstance(data, Made) and isinstance(data.args, tuple) and data.args else data


def _version_at(machine: Machine, keys: tuple[Node, ...]) -> int | None:
    """At which place scikit-learn's version stands. Records what keys must not be."""
    found = None
    for place, key in enumerate(keys):
        _check_key(machine, key)
        if machine.data.short_text(key) == "_sklearn_version":
            found = place
    return found


def _check_version(machine: Machine, value: Node) -> None:
    """scikit-learn shows this in a warning: an object would be asked for its text, escapes reach a terminal."""
    text = machine.data.short_text(value) if value.__class__ is int else None
    if text is None or not _VERSION.match(text):
        machine.fact("odd-version", "the version of scikit-learn is not one")


def _shape(machine: Machine, source: Global, state: Node) -> None:
    """A state that is no dict. Slots are one: BUILD sets each name in the tuple's second part as an attribute."""
    if state.__class__ is Alias:
        machine.fact("odd-state", f"the state of a {source.module}.{source.name} is used elsewhere too")
    source.shaped = source.shaped or not source.watched  # else a contract reads it
    parts = state if state.__class__ is tuple and len(state) <= ARGUMENTS_MAX else ()
    if source.watched:  # an array may be given text, which is encoded for each
        count_texts(machine, [part for part in parts if part.__class__ is int])
    for part in parts:
        if part.__class__ is int:
            take_bytes(machine, part)
        elif part.__class__ is Alias:
            take_encoded(machine, part)
            if source.watched and isinstance(part.node, Bag):
                count_texts(machine, part.node.items[1::2])
            if len(parts) == 2 and isinstance(part.node, Bag) and not source.watched:
                machine.fact(
                    "odd-state", f"a part of the state of a {source.module}.{source.name} is used elsewhere too"
                )
        elif part.__class__ is Bag and part.kind == "dict" and len(parts) == 2:
            _own_part(machine, source, part)


def _own_part(machine: Machine, source: Global, part: Bag) -> None:
    """The attributes or the slots of a state that has both."""
    if not part.complete:
        machine.fact("odd-state", f"a part of the state of a {source.module}.{source.name} is too large to look at")
    if source.watched:
        count_texts(machine, part.items[1::2])
    for key, value in zip(part.items[::2], part.items[1::2], strict=False):
        if not source.watched:
            _check_key(machine, key)
        if value.__class__ is Global:
            value.give(source.key)


def _check_key(machine: Machine, key: Node) -> None:
    """Attributes are named by plain strings: numpy takes ``__array_interface__`` from an instance, an address."""
    text = machine.data.short_text(key)
    if text is None or (text.startswith("__") and text not in _HARMLESS):
        machine.fact("odd-attribute", f"an attribute is named {_shown(text)}")


def check_filled_keys(machine: Machine, source: Global, keys: list[Node]) -> None:
    """Keys of a class whose items may be its attributes: no name that numpy would ask for."""
    for key in keys:
        text = machine.data.short_text(key)
        if text is None:
            source.keyed = True
        elif text.startswith("__") and text not in _HARMLESS:
            machine.fact("odd-attribute", f"an item is named {_shown(text)}")


def _shown(text: str | None) -> str:
    return "by no plain string" if text is None else f'"{printable(text, 60)}"'
