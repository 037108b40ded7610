"""Tables are filled from files: of a path in a SavedModel it has to be certain that it is the model's own file's.

It is where it goes from an asset of the model, as what a function is bound to, through calls to the one operation that
reads a vocabulary; and nowhere else. In the same way it has to be certain which table is exported: TensorFlow believes
the operation what is in it, and ends the process where that is not so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NoReturn

from safeload.codecs.savedmodel_names import shown, unsafe
from safeload.codecs.savedmodel_ops import CALLING, TABLES
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_handles"]

# The operations, and at which place each is given what it believes.
_BELIEVES = {"InitializeTableFromTextFileV2": 1, "LookupTableExportV2": 0}
# How far they are followed: no honest model takes a hundredth of it, and a file can be made to take any time.
_STEPS_MAX = 2_000_000
# What it has to be: an asset, or a table of these types of keys and of values.
_Want = tuple[int, int] | None


def check_handles(functions: Mapping[str, Any], objects: Any) -> None:
    """Raise UnsafeFileError unless every file that is read is an asset, and every table of the types that are read."""
    _Handles(functions, objects).check()


class _Handles:
    def __init__(self, functions: Mapping[str, Any], objects: Any) -> None:
        self._functions, self._objects = functions, objects
        self._arguments = {
            name: {argument.name: number for number, argument in enumerate(function.signature.input_arg)}
            for name, function in functions.items()
        }
        self._steps = _STEPS_MAX
        self._callers: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
        self._wanted: defaultdict[str, set[tuple[int, _Want]]] = defaultdict(set)

    def check(self) -> None:
        pending = list[tuple[str, int, _Want]]()
        for name, function in self._functions.items():
            for node in function.node_def:
                if (called := self._called(node)) is not None:
                    self._callers[called].append((name, node))
                if node.op in _BELIEVES:
                    pending.append((name, self._argument(node, _BELIEVES[node.op], name), _want(node)))
        while pending:
            name, number, want = pending.pop()
            if (number, want) in self._wanted[name]:
                continue
            self._wanted[name].add((number, want))
            pending += [(caller, self._argument(node, number, caller), want) for caller, node in self._callers[name]]
        if self._wanted:
            self._others()
        for name, wanted in self._wanted.items():
            if name in self._objects.concrete_functions:
                self._bound(name, wanted)

    def _called(self, node: Any) -> str | None:
        name = node.attr["f"].func.name if node.op in CALLING else node.op
        return name if name in self._functions else None

    def _argument(self, node: Any, place: int, name: str) -> int:
        """Which argument of its function a node is given at `place`."""
        self._spend(place)
        numbers = self._arguments[name]
        if place >= len(node.input) or (found := numbers.get(node.input[place])) is None:
            _refuse(name)
        # Without an index, one name is all the outputs of a node, and what follows it is given at another place.
        if any(each not in numbers and each.count(":") != 2 for each in node.input[:place]):
            _refuse(name)
        return found

    def _bound(self, name: str, wanted: set[tuple[int, _Want]]) -> None:
        """What a function is bound to are its last arguments."""
        bound = self._objects.concrete_functions[name].bound_inputs
        for number, want in wanted:
            at = number - (len(self._arguments[name]) - len(bound))
            if at < 0:
                _refuse(name)
            node = self._objects.nodes[bound[at]]
            if not (node.HasField("asset") if want is None else self._tables(node) == {want}):
                _refuse(name)

    def _tables(self, node: Any) -> set[_Want]:
        """The types of all tables that the functions can make which make this object."""
        makers = [child.node_id for child in node.children if child.local_name == "_create_resource"]
        pending = [name for number in makers for name in self._objects.nodes[number].function.concrete_functions]
        seen, types = set[str](), set[_Want]()
        while pending:
            name = pending.pop()
            if name in seen or name not in self._functions:
                continue
            seen.add(name)
            self._spend(len(self._functions[name].node_def))
            for made in self._functions[name].node_def:
                if made.op in TABLES:
                    types.add((made.attr["key_dtype"].type, made.attr["value_dtype"].type))
                pending += [called for _, called in _mentioned(made)]
        return types if node.HasField("resource") else set()

    def _spend(self, steps: int) -> None:
        self._steps -= steps + 1
        if self._steps < 0:
            raise CodecError("the model's tables pass through more calls than are followed here")

    def _others(self) -> None:
        """A loop or a condition that calls one of these could give it anything."""
        for name, function in self._functions.items():
            for node in function.node_def:
                for key, called in _mentioned(node):
                    if called in self._wanted and not (key == "f" and node.op in CALLING):
                        _refuse(name)


def _want(node: Any) -> _Want:
    if node.op != "LookupTableExportV2":
        return None
    return (node.attr["Tkeys"].type, node.attr["Tvalues"].type)


def _mentioned(node: Any) -> Iterator[tuple[str, str]]:
    """Attributes that are functions."""
    for key, value in node.attr.items():
        yield key, value.func.name
        yield from ((key, function.name) for function in value.list.func)


def _refuse(name: str) -> NoReturn:
    raise unsafe(
        f"function {shown(name)} is given a file or a table that is not known to be the model's own",
        "SL714",
        "a vocabulary has to be an asset of the model",
    )
