"""Classes of one's own: refused by name, allowed by name."""

from __future__ import annotations

import collections
import dataclasses
import enum
import io
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import safeload
from safeload import Policy
from safeload.errors import CodecError, DisallowedGlobalError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys


class Plain:
    def __init__(self) -> None:
        self.a = 1


class Outer:
    class Inner:
        def __init__(self) -> None:
            self.b = 2


@dataclasses.dataclass
class Slotted:
    __slots__ = ("c",)
    c: int


class Shaped:
    def __init__(self) -> None:
        self.d = 4

    def __getstate__(self) -> tuple[int]:
        return (self.d,)

    def __setstate__(self, state: tuple[int]) -> None:
        (self.d,) = state


class Café:
    pass


class Colour(enum.Enum):
    RED = 1


def load(value: Any, policy: Policy | None = None) -> Any:
    return safeload.load_untrusted(io.BytesIO(pickle.dumps(value)), policy=policy)


def path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@pytest.mark.parametrize("value", [Plain(), Outer.Inner(), Slotted(3), Shaped(), Café()], ids=lambda v: path(type(v)))
def test_a_class_of_ones_own_is_refused_until_it_is_allowed_by_name(value: Any) -> None:
    name = path(type(value))
    with pytest.raises(DisallowedGlobalError) as caught:
        load(value)
    assert f'Policy.default().allow("{name}")' in caught.value.hint
    loaded = load(value, Policy.default().allow(name))
    assert type(loaded) is type(value)
    assert pickle.dumps(loaded) == pickle.dumps(value)


def test_what_is_called_has_to_be_asked_for() -> None:
    with pytest.raises(DisallowedGlobalError) as caught:
        load(Colour.RED, Policy.default().allow(path(Colour)))
    assert f"--allow-call {path(Colour)}" in caught.value.hint
    allowed = Policy.default().allow(path(Colour), use=("new", "build", "reference", "call"))
    assert load(Colour.RED, allowed) is Colour.RED


def test_no_hint_tells_how_to_allow_the_standard_library() -> None:
    with pytest.raises(DisallowedGlobalError) as caught:
        load(os.system)
    assert "allow" not in caught.value.hint


class Reduced:
    """Pickles as a call."""

    def __init__(self, *reduction: Any) -> None:
        self.reduction = reduction

    def __reduce__(self) -> Any:
        return self.reduction


@pytest.mark.parametrize("value", [np.save, Reduced(np.save, ("x", 1))], ids=["referenced", "called"])
def test_no_hint_tells_how_to_allow_what_is_known_to_be_dangerous(value: Any) -> None:
    with pytest.raises(DisallowedGlobalError) as caught:
        load(value)
    assert "--allow" not in caught.value.hint
    assert "opens, writes or removes files. Do not allow it" in caught.value.hint.replace("It ", "")


def test_saving_says_that_a_dangerous_call_will_be_refused(tmp_path: Path, team: Keys) -> None:
    with pytest.warns(safeload.PolicyWarning, match="will be refused: it calls numpy.save"):
        safeload.dump(Reduced(np.save, ("x", 1)), tmp_path / "m.safeload", signer=team.key)


@pytest.mark.parametrize("wrong", ["mypkg", "", "my pkg.C", "mypkg.", ".C", "mypkg.C()"])
def test_only_a_dotted_name_can_be_allowed(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a whole module"):
        Policy.default().allow(wrong)


def test_a_class_object_or_an_unknown_use_is_named_as_wrong() -> None:
    with pytest.raises(TypeError, match="expected a name"):
        Policy.default().allow(Plain)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown use 'run'"):
        Policy.default().allow("a.b", use="run")


def test_a_policy_is_widened_into_another_and_never_changed() -> None:
    default = Policy.default()
    assert default.allow(path(Plain)) is not default
    with pytest.raises(DisallowedGlobalError):
        load(Plain(), default)


def test_a_name_is_no_way_into_an_object() -> None:
    allowed = Policy.default().allow("safeload.Policy.default.__func__")
    stream = b"\x80\x04\x8c\x08safeload\x8c\x17Policy.default.__func__\x93."
    with pytest.raises(CodecError, match="cannot be imported"):
        safeload.load_untrusted(io.BytesIO(stream), policy=allowed)


def test_saving_says_what_loading_will_need(tmp_path: Path, team: Keys) -> None:
    with pytest.warns(safeload.PolicyWarning) as warned:
        safeload.dump([Plain(), Colour.RED], tmp_path / "m.safeload", signer=team.key)
    text = str(warned[0].message)
    assert f"--allow {path(Plain)}" in text
    assert f"--allow-call {path(Colour)}" in text
    policy = eval(  # noqa: S307  # our own words, to see that they work
        text.partition("policy=")[2].partition(";")[0], {"safeload": safeload}
    )
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub, policy=policy)[1] is Colour.RED
    assert warned[0].filename == __file__


def test_saving_what_calls_into_the_standard_library_says_that_it_will_not_load(tmp_path: Path, team: Keys) -> None:
    class Bad:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.system, ("true",)

    with pytest.warns(safeload.PolicyWarning, match=r"refused: it calls (posix|nt)\.system"):
        safeload.dump(Bad(), tmp_path / "m.safeload", signer=team.key)


def test_allowing_everything_loads_what_pickle_loads_and_warns() -> None:
    with pytest.warns(UserWarning, match="any code"):
        everything = Policy.unsafe_allow_all()
    factory: Any = collections.OrderedDict
    value = [collections.defaultdict(factory, a=1), range(100_000), Shaped(), Colour.RED]
    assert pickle.dumps(load(value, everything)) == pickle.dumps(value)
