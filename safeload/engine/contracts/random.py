"""numpy's random generators, made anew and given a checked copy of their state.

Sources: numpy/random/_pickle.py, bit_generator.pyx, mtrand.pyx and _generator.pyx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.random_states import named_state, number, state_of, words
from safeload.engine.stubs import Stub
from safeload.engine.tokens import Token, closed
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "GUARDS", "STATES", "STUBS"]

Key = tuple[str, str]
_PICKLE = "numpy.random._pickle"
_BITS: Key = (_PICKLE, "__bit_generator_ctor")
_GENERATOR: Key = (_PICKLE, "__generator_ctor")
_RANDOM_STATE: Key = (_PICKLE, "__randomstate_ctor")
_SEED: Key = ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence")
_NAMES = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_POOL_SIZES = range(4, 257)
_WORDS_MAX = 4_096
_OWN = {"has_gauss", "gauss"}  # of a RandomState


class BitGeneratorStub(Stub):
    __slots__ = ()
    what = "numpy bit generator"


class RandomStateStub(Stub):
    __slots__ = ()
    what = "numpy RandomState"


class SeedSequenceStub(Stub):
    __slots__ = ()
    what = "numpy SeedSequence"


def _bit_class(given: Any) -> Any:
    """numpy 2 passes the class, numpy 1.26 its name."""
    import numpy as np

    if type(given) is str:
        require(given in _NAMES, _BITS)
        return getattr(np.random, given)
    return closed(given, _BITS)


def _bits(args: tuple[Any, ...], key: Key) -> Any:
    """The bit generator of another object: its own, or for numpy 1.26 a name, and the function that numpy calls."""
    import numpy as np

    require(1 <= len(args) <= 2 and (len(args) == 1 or args[1] == Token(*_BITS)), key)
    return args[0] if isinstance(args[0], np.random.BitGenerator) else _bit_class(args[0])()


def _bit_generator(stub: Any) -> Any:
    """Checkpoint: the state is (dict, SeedSequence or None), and for numpy 1.26 the dict."""
    import numpy as np

    require(type(stub) is BitGeneratorStub and len(stub.args) == 1, _BITS)
    state, seed = stub.state if type(stub.state) is tuple and len(stub.state) == 2 else (stub.state, None)
    require(seed is None or type(seed) is np.random.SeedSequence, _BITS)
    made = _bit_class(stub.args[0])(seed)
    checked = state_of(made, state, _BITS)
    if seed is None and type(stub.state) is tuple and not np.__version__.startswith("1."):
        made.__setstate__((checked, None))  # no seed sequence, as in one that was seeded the old way
    else:
        made.state = checked
    return made


def _random_state(stub: Any) -> Any:
    """Checkpoint: a bit generator's state with one spare normal number."""
    import numpy as np

    require(type(stub) is RandomStateStub and type(stub.state) is dict and stub.state.keys() >= _OWN, _RANDOM_STATE)
    bits = _bits(stub.args, _RANDOM_STATE)
    state: dict[str, Any] = stub.state
    checked = state_of(bits, {name: state[name] for name in state if name not in _OWN}, _RANDOM_STATE)
    require(type(state["gauss"]) is float, _RANDOM_STATE)
    made = np.random.RandomState(bits)
    made.set_state(
        {**checked, "has_gauss": number(state["has_gauss"], range(2), _RANDOM_STATE), "gauss": state["gauss"]}
    )
    return made


def _generator(*args: Any) -> Any:
    """numpy 2's is never BUILT; that of numpy 1.26 gets a state."""
    import numpy as np

    return np.random.Generator(_bits(args, _GENERATOR))


def _generator_state(kind: Any, state: Any) -> dict[str, Any]:
    """Before BUILD: numpy reads as many words as the bit generator has, of however few there are, and then compares
    the name with the bit generator's own."""
    require(type(state) is dict, _GENERATOR)
    return named_state(state.get("bit_generator"), state, _GENERATOR)


def _seed_sequence(stub: Any) -> Any:
    """Checkpoint: the pool is what entropy and spawn key make of it."""
    import numpy as np

    require(type(stub) is SeedSequenceStub and len(stub.args) == 3 and stub.args[2] is None, _SEED)
    require(closed(stub.args[0], _SEED) is np.random.SeedSequence and type(stub.args[1]) is int, _SEED)
    require(type(stub.state) is tuple and len(stub.state) == 5, _SEED)
    entropy, children, pool, size, spawn_key = stub.state
    require(type(children) is int and 0 <= children < 1 << 32, _SEED)
    require(type(spawn_key) is tuple and _word_count(spawn_key) <= _WORDS_MAX, _SEED)
    made = np.random.SeedSequence(
        _entropy(entropy), spawn_key=spawn_key, pool_size=number(size, _POOL_SIZES, _SEED), n_children_spawned=children
    )
    require(bool((words(pool, "u4", size, _SEED) == made.pool).all()), _SEED)
    return made


def _entropy(value: Any) -> Any:
    """A number, or several; a copy of what could be changed later."""
    import numpy as np

    if type(value) is np.ndarray:
        require(value.ndim == 1 and value.dtype.kind in "iu" and value.size <= _WORDS_MAX, _SEED)
        return value.copy()
    parts = value if type(value) in (list, tuple) else (value,)
    require(_word_count(parts) <= _WORDS_MAX, _SEED)
    return list(value) if type(value) is list else value


def _word_count(numbers: Any) -> int:
    """How many 32-bit words are mixed in, one round each."""
    import numpy as np

    require(all((type(n) is int or isinstance(n, np.integer)) and n >= 0 for n in numbers), _SEED)
    return sum(1 + int(n).bit_length() // 32 for n in numbers)


STUBS: Mapping[Key, type[Stub]] = {_BITS: BitGeneratorStub, _RANDOM_STATE: RandomStateStub, _SEED: SeedSequenceStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    _BITS: _bit_generator,
    _RANDOM_STATE: _random_state,
    _SEED: _seed_sequence,
}
GUARDS: Mapping[Key, Callable[..., Any]] = {_GENERATOR: _generator}
STATES: Mapping[Key, Callable[[Any, Any], Any]] = {_GENERATOR: _generator_state}
