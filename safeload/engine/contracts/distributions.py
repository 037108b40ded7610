"""scipy's distributions: they execute a text of their state, so they get the state of scipy's own instance instead.

Of the file's state only the generator of random numbers is kept. A frozen one holds checked numbers besides, and is
never given scipy's instance itself, which is one for all. Sources: scipy/stats/_distn_infrastructure.py
(``rv_generic.__setstate__``, ``rv_frozen.__init__``).
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.draws import can_be_asked
from safeload.engine.contracts.inert import KEPT, Inert, boosting_method, interpolator_method, text_method
from safeload.engine.contracts.interpolators import InterpolatorStub
from safeload.engine.contracts.pandas_zones import zone_method
from safeload.engine.contracts.quantities import parameters, quantity
from safeload.engine.stubs import Stub
from safeload.engine.tokens import Token
from safeload.engine.valid import require
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "GUARDS", "STATES", "STUBS"]

Key = tuple[str, str]
_MODULE = "scipy.stats._distn_infrastructure"
_GENERIC: Key = (_MODULE, "rv_generic")
_FROZEN: Key = (_MODULE, "rv_frozen")
_VECTORIZE: Key = ("numpy", "vectorize")
_GETATTR: Key = ("builtins", "getattr")
_ENTROPY = "_entropy"
# What a distribution is made with, and what scipy's own has not changed since scipy 1.11.
_PLAIN = ("a", "b", "badvalue", "inc", "moment_tol", "shapes", "xtol")
# What an instance may be told, and which names a state may have besides those of scipy's own instance.
_SETTINGS: Mapping[str, tuple[str, ...]] = {"parameterization": ("S0", "S1")}  # of levy_stable
_WRITTEN = {"_support", *_SETTINGS}
# What the constructors of scipy's bases make; what else is in a state, a class of one's own put there.
_MADE = {
    *_PLAIN, "__doc__", "_cdfvec", "_ctor_param", "_parse_arg_template", "_parse_args", "_parse_args_rvs",
    "_parse_args_stats", "_ppfvec", "_random_state", "_stats_has_moments", "generic_moment", "moment_type", "name",
    "numargs", "pk", "qvals", "vecentropy", "xk",
}  # fmt: skip
_TEXT_MAX = 1_000
_SHAPES = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}(?:[, ]{1,2}[A-Za-z_][A-Za-z0-9_]{0,40}){0,20}\Z", re.ASCII)
_VECTORIZED = {
    "pyfunc", "cache", "signature", "__name__", "_ufunc", "_doc", "__doc__", "otypes", "excluded",
    "_in_and_out_core_dims",
}  # fmt: skip


@functools.cache
def _own() -> Mapping[str, Any]:
    """scipy's own instances, by name."""
    from scipy import stats
    from scipy.stats._distn_infrastructure import rv_generic

    found = {name: value for name, value in vars(stats).items() if isinstance(value, rv_generic)}
    return {name: value for name, value in found.items() if value.name == name}


def _distribution(kind: Any, state: Any) -> Any:
    """Before BUILD: the state of scipy's own of that name, or one made by the constructor of another class."""
    import numpy as np

    require(type(state) is dict and _text(state.get("name")), _GENERIC)
    random_state = state.get("_random_state")
    require(type(random_state) in (np.random.RandomState, np.random.Generator), _GENERIC)
    if kind not in map(type, _own().values()):
        return _constructed(kind, state) | {"_random_state": random_state}
    own: Any = _own().get(state["name"])
    require(type(own) is kind, _GENERIC)
    made: dict[str, Any] = own.__getstate__()
    kept = {name: state[name] for name in _SETTINGS if name in state}
    require(all(type(value) is str and value in _SETTINGS[name] for name, value in kept.items()), _GENERIC)
    if not (all(_same(state.get(name), made.get(name)) for name in _PLAIN) and state.keys() <= {*made, *_WRITTEN}):
        raise CodecError(f"a scipy.stats.{own.name} was changed before it was saved, or is of another scipy")
    return {**made, **kept, "_ctor_param": dict(made["_ctor_param"]), "_random_state": random_state}


def _text(value: Any) -> bool:
    return type(value) is str and len(value) <= _TEXT_MAX


def _same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal; nan is."""
    plain = type(one) in (int, float, str, type(None))
    return plain and (one == other or (one != one and other != other))


def _constructed(kind: Any, state: dict[str, Any]) -> dict[str, Any]:
    """The state of a new object of a class that the policy names, with the file's numbers, and what it adds to them."""
    require(type(state.get("_ctor_param")) is dict, _GENERIC)
    given: dict[str, Any] = state["_ctor_param"]
    plain = {**given, **{name: state[name] for name in _PLAIN if name in state and name in given}}
    plain.pop("seed", None)
    if plain.get("values") is not None:
        values = plain["values"]
        require(type(values) in (tuple, list) and len(values) == 2, _GENERIC)
        # By its constructor alone a sample has these.
        plain = {"values": tuple(map(quantity, values)), **{name: plain.get(name) for name in ("name", "longname")}}
    for name, value in plain.items():
        require(name == "values" or value is None or _text(value) or type(value) in (int, float), _GENERIC)
    shapes = plain.get("shapes")
    # scipy looks at them too, before it executes a text with them.
    require(shapes is None or (type(shapes) is str and bool(_SHAPES.match(shapes))), _GENERIC)
    made = kind(**plain).__getstate__()
    return {**made, **{name: value for name, value in state.items() if name not in _MADE}}


def _frozen(kind: Any, state: Any) -> Any:
    """Before BUILD: copies of the numbers, the distribution as it was made here, and the support that these give."""
    from scipy.stats._distn_infrastructure import rv_generic

    require(type(state) is dict and state.keys() == {"args", "kwds", "dist", "a", "b"}, _FROZEN)
    dist = state["dist"]
    require(isinstance(dist, rv_generic) and "_random_state" in vars(dist), _FROZEN)
    args, kwds = parameters(state["args"], state["kwds"])
    shapes = dist._parse_args(*args, **kwds)[0]
    if not can_be_asked(dist, shapes):
        raise CodecError(f"a {dist.name} of scipy.stats has parameters for which scipy has no answer in time")
    least, most = dist._get_support(*shapes)
    return {"args": tuple(args), "kwds": kwds, "dist": dist, "a": least, "b": most}


def _getattr(*args: Any) -> Any:
    """How a bound method is pickled: ``getattr(distribution, "_entropy")``, before the distribution is complete.

    Or a zone's, or an interpolator's: their contracts answer.
    """
    if args and type(args[0]) is Token:
        return zone_method(*args)
    if args and args[0] is InterpolatorStub:
        return interpolator_method(*args)
    if args and args[0] is str:
        return text_method(*args)
    if len(args) == 2 and type(args[1]) is str and args[1] == KEPT:
        return boosting_method(args[0])
    from scipy.stats._distn_infrastructure import rv_generic

    if len(args) != 2 or not issubclass(type(args[0]), rv_generic) or type(args[1]) is not str or args[1] != _ENTROPY:
        raise CodecError("getattr is called otherwise than for the method of a scipy.stats distribution")
    return Inert()


class VectorizeStub(Stub):
    """Around that method. Without a state, or called by the model, it would be a call of anything."""

    __slots__ = ()
    what = "numpy.vectorize"


def _vectorize(stub: Any) -> Any:
    """Checkpoint: only its attributes, nothing is called. A cache of functions is not taken from a file."""
    import numpy as np

    require(type(stub) is VectorizeStub and type(stub.state) is dict, _VECTORIZE)
    function = stub.state.get("pyfunc")
    require(stub.state.keys() <= _VECTORIZED and (callable(function) or type(function) is Inert), _VECTORIZE)
    made: Any = np.vectorize.__new__(np.vectorize)
    vars(made).update(stub.state, _ufunc={})
    return made


GUARDS: Mapping[Key, Callable[..., Any]] = {_GETATTR: _getattr}
STUBS: Mapping[Key, type[Stub]] = {_VECTORIZE: VectorizeStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_VECTORIZE: _vectorize}
STATES: Mapping[Key, Callable[[Any, Any], Any]] = {_GENERIC: _distribution, _FROZEN: _frozen}
