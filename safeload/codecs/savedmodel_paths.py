"""Tables are filled from files: of a path in a SavedModel it has to be certain that it is the model's own file's.

It is where it goes from an asset of the model, as what a function is bound to, through calls to the one operation that
reads a vocabulary; and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NoReturn

from safeload.codecs.savedmodel_names import shown, unsafe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_paths"]

_READS, _FILENAME = "InitializeTableFromTextFileV2", 1
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})


def check_paths(functions: Mapping[str, Any], objects: Any) -> None:
    """Raise UnsafeFileError unless every file that is read is an asset."""
    numbers = {name: _numbers(function) for name, function in functions.items()}
    callers: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    pending, paths = list[tuple[str, int]](), defaultdict[str, set[int]](set)
    for name, function in functions.items():
        for node in function.node_def:
            called = node.attr["f"].func.name if node.op in _CALLS else node.op
            if called in functions:
                callers[called].append((name, node))
            if node.op == _READS:
                pending.append((name, _argument(node, _FILENAME, numbers[name], name)))
    while pending:
        name, number = pending.pop()
        if number in paths[name]:
            continue
        paths[name].add(number)
        for caller, node in callers[name]:
            pending.append((caller, _argument(node, number, numbers[caller], caller)))
    if paths:
        _others(functions, set(paths))
    for name, found in paths.items():
        if name in objects.concrete_functions:
            _bound(name, found, len(numbers[name]), objects)


def _numbers(function: Any) -> dict[str, int]:
    return {argument.name: number for number, argument in enumerate(function.signature.input_arg)}


def _argument(node: Any, place: int, numbers: Mapping[str, int], name: str) -> int:
    """Which argument of its function a node is given at `place`."""
    if place >= len(node.input) or (found := numbers.get(node.input[place])) is None:
        _refuse(name)
    # Without an index, one name is all the outputs of a node, and what follows it is given at another place.
    if any(each not in numbers and each.count(":") != 2 for each in node.input[:place]):
        _refuse(name)
    return found


def _bound(name: str, found: set[int], count: int, objects: Any) -> None:
    """What a function is bound to are its last arguments."""
    bound = objects.concrete_functions[name].bound_inputs
    for number in found:
        at = number - (count - len(bound))
        if at < 0 or not objects.nodes[bound[at]].HasField("asset"):
            _refuse(name)


def _others(functions: Mapping[str, Any], paths: set[str]) -> None:
    """A loop or a condition that calls one of these could give it anything."""
    for name, function in functions.items():
        for node in function.node_def:
            for key, called in _called(node):
                if called in paths and not (key == "f" and node.op in _CALLS):
                    _refuse(name)


def _called(node: Any) -> Iterator[tuple[str, str]]:
    for key, value in node.attr.items():
        yield key, value.func.name
        yield from ((key, function.name) for function in value.list.func)


def _refuse(name: str) -> NoReturn:
    raise unsafe(
        f"function {shown(name)} reads a file that is not known to be one of the model",
        "SL714",
        "a vocabulary has to be an asset of the model",
    )
