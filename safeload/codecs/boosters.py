"""The codecs of xgboost, lightgbm and catboost: a model in its library's own format, and beside it what Python keeps.

The library's C++ reads the model, so only a policy that holds the library lets it come to that; the engine loads the
rest, as any stream of joblib's. What is not fitted, and whatever stands around such models, is joblib's altogether.
"""

from __future__ import annotations

import importlib
import sys
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing
from safeload.codecs.boosters_halves import CATBOOST, LIGHTGBM, XGBOOST
from safeload.codecs.checked import check_file
from safeload.codecs.joblib import JOBLIB
from safeload.engine.registry import Registry
from safeload.engine.tables import CHECKERS
from safeload.errors import CodecError, SafeloadError
from safeload.policy.judge import check_made
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safeload.codecs.boosters_halves import Library

__all__ = ["BOOSTERS", "classes_beside"]

Key = tuple[str, str]
_LIBRARIES = (XGBOOST, LIGHTGBM, CATBOOST)
_WRAPPER = "wrapper.joblib"


def _takes(library: Library, value: Any) -> bool:
    """Whether it is a fitted model of a class of the library's own, with no more about it than that class writes."""
    kind = type(value)
    if (kind.__module__, kind.__qualname__) not in library.wrappers | {library.alone}:
        return False
    return getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind and library.fitted(value)


def _parts(library: Library, value: Any, protocol: int | None) -> list[Part]:
    name = library.name
    if not _takes(library, value):
        raise CodecError(
            f"codec={name!r} takes fitted models of {name}; this is a {type(value).__name__}",
            hint="codec=None chooses by itself",
        )
    try:
        rest = library.rest(value)
    except Exception as error:  # of C++, through the exceptions of each library
        raise CodecError(f"{name} cannot save this model: {_said(error)}") from error
    (stream,) = JOBLIB.parts(rest, protocol)
    return [
        Part(library.file, partial(_write, library, value), f"{name}.model"),
        Part(_WRAPPER, stream.write, f"{name}.wrapper"),
    ]


def _write(library: Library, value: Any, file: IO[bytes]) -> None:
    try:
        data = library.native(value)
    except Exception as error:
        raise CodecError(f"{library.name} cannot save this model: {_said(error)}") from error
    file.write(data)


def _load(library: Library, held: Sequence[Held], options: LoadOptions) -> Any:
    name = library.name
    classes = classes_beside([member.kind for member in held])
    if classes is None:
        raise CodecError(f"the members of this artifact are not a model of {name} and its wrapper")
    model, *others = held
    named = model if model.name else model._replace(name="the file")
    for made in classes:
        check_made(made, options.policy, member=model.name)
    view = model.read()
    if check_file(view, named, options)[0].kind != name:
        raise CodecError(f"{printable(named.name)} is no model of {name}")
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise missing(f"a model of {name}", name, "; safeload unpack gives the file") from error
    rest = _rest(library, others, options)
    try:
        data = library.taken(view)
        del view  # as large as the model, which is made of the copy
        made = library.join(data, rest)
    except (SafeloadError, MemoryError):
        raise
    except Exception as error:
        raise CodecError(f"{name} cannot load this model: {_said(error)}") from error
    if not options.policy.everything:
        _check(made)
    return made


def classes_beside(kinds: Sequence[str]) -> list[Key] | None:
    """What a model becomes whose members are of these kinds, besides what its stream names; None if it is none.

    A wrapper of catboost, which its stream names, is itself what is given the bytes.
    """
    for library in _LIBRARIES:
        both = [f"{library.name}.model", f"{library.name}.wrapper"]
        if list(kinds) in (both[:1], both):
            return [] if library.is_wrapper and len(kinds) == len(both) else [library.alone]
    return None


def _rest(library: Library, others: Sequence[Held], options: LoadOptions) -> dict[str, Any]:
    """What the engine makes of the second member: a dict of what `library` puts there, and nothing else."""
    if not others:
        return {}
    rest = JOBLIB.load(others, options)
    if type(rest) is not dict or not rest.keys() <= library.keys:
        raise CodecError(f"{printable(others[0].name)} does not hold what is kept beside a model of {library.name}")
    if library.is_wrapper or "wrapper" in rest:
        kind = type(rest.get("wrapper"))
        key = kind.__module__, kind.__qualname__
        if key not in library.wrappers:
            raise CodecError(f"{printable(others[0].name)} holds no wrapper of {library.name} where one belongs")
        check_made(key, options.policy, member=others[0].name)
    return rest


def _said(error: Exception) -> str:
    """Without the addresses that xgboost adds."""
    return printable(str(error).partition("\nStack trace")[0], 300)


def _check(made: Any) -> None:
    """What the engine asks of a model that came in one piece. Raises CodecError."""
    registry = Registry()
    for value in (made, getattr(made, "_Booster", None)):
        registry.keep(value)
    registry.check(CHECKERS)


def _codec(library: Library) -> Codec:
    return Codec(
        library.name, (library.name,), partial(_takes, library), partial(_parts, library), partial(_load, library)
    )


BOOSTERS: Mapping[str, Codec] = {library.name: _codec(library) for library in _LIBRARIES}
