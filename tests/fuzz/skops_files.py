"""The same mutations for skops files: a zip of JSON, which says what is made of what, and arrays beside it.

skops holds a list of trusted types against the names in a file. All types of the unchanged models are trusted here.
"""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from fuzz.arrays import FLOATS, INTEGERS, mutated_array
from fuzz.mutate import Mutant
from fuzz.skops_parts import SkopsFile, moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fuzz.family import Family

__all__ = ["SkopsMutator", "skops_loader"]

_WORDS = ("", "x", "kd_tree", "ball_tree", "brute", "auto", "precomputed", "F", "C", "linear", "rbf", "poly")


def _value(rng: random.Random, file: SkopsFile, donor: SkopsFile) -> str | None:
    choice = [place for place in file.places() if place.node["__loader__"] == "JsonNode"]
    if not choice:
        return None
    place = rng.choice(choice)
    try:
        old = json.loads(place.node["content"])
    except (TypeError, ValueError):
        return None
    values: tuple[Any, ...] = (*INTEGERS, None, True)
    if type(old) is int:
        values = (*INTEGERS, old + 1, old - 1, 2 * old)
    elif type(old) is float:
        values = FLOATS
    elif type(old) is str:
        values = _WORDS
    new = rng.choice(values)
    place.node["content"], place.node["__id__"] = json.dumps(new), rng.randrange(1 << 60)
    return f"{place.path} = {new!r}"


def _array(rng: random.Random, file: SkopsFile, donor: SkopsFile) -> str | None:
    names = [name for name in file.parts if name.endswith(".npy")]
    if not names:
        return None
    name = rng.choice(names)
    found = mutated_array(np.load(io.BytesIO(file.parts[name]), allow_pickle=False), rng)
    if found is None or found[0].dtype.hasobject:
        return None
    buffer = io.BytesIO()
    np.save(buffer, found[0], allow_pickle=False)
    file.parts[name] = buffer.getvalue()
    path = next((place.path for place in file.places() if place.node.get("file") == name), name)
    return f"{path}: {found[1]}"


def _pairing(rng: random.Random, file: SkopsFile, donor: SkopsFile) -> str | None:
    mine, other = file.places(), donor.places()
    if not mine or not other:
        return None
    place = rng.choice(mine)
    same = [one for one in other if one.key == place.key or one.node.get("__class__") == place.node.get("__class__")]
    taken = rng.choice(same or other)
    moved(place._replace(node=taken.node), donor, file, rng)
    return f"{place.path} = other's {taken.path}"


def _order(rng: random.Random, file: SkopsFile, donor: SkopsFile) -> str | None:
    places = file.places()
    if len(places) < 2:
        return None
    one, other = rng.sample(places, 2)
    way = rng.choice(("alias", "swap", "drop"))
    if way == "alias":
        one.node["__id__"] = other.node.get("__id__")
    elif way == "swap" and not (one.path.startswith(other.path) or other.path.startswith(one.path)):
        one.above[one.key], other.above[other.key] = other.node, one.node
    else:
        del one.above[one.key]
    return f"{one.path} {way} {other.path}"


_WAYS: tuple[Callable[[random.Random, SkopsFile, SkopsFile], str | None], ...] = (
    _value, _value, _array, _array, _pairing, _pairing, _pairing, _order,
)  # fmt: skip


class SkopsMutator:
    """Mutants of the families that skops can write."""

    def __init__(self, families: Sequence[Family], seed: int) -> None:
        import skops.io

        self._seed = seed
        self._files: list[tuple[Family, SkopsFile]] = []
        for family in families:
            try:
                self._files.append((family, SkopsFile(skops.io.dumps(family.value))))
            except Exception:  # noqa: S112 - skops does not write everything
                continue

    def __getitem__(self, index: int) -> Mutant:
        rng = random.Random(f"{self._seed}:{index}")  # noqa: S311 - to be repeated, not to be secret
        family, original = rng.choice(self._files)
        file, steps = original.copied(), []
        for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3))):
            for way in rng.choices(_WAYS, k=9):
                step = way(rng, file, self._donor(rng, family))
                if step is not None:
                    steps.append(f"{way.__name__.strip('_')}: {step}")
                    break
        return Mutant(index, family, "skops", file.data(), tuple(steps))

    def _donor(self, rng: random.Random, family: Family) -> SkopsFile:
        """Half of the time the same estimator on other data."""
        wanted = {f"{family.name}, other", family.name.removesuffix(", other")} - {family.name}
        twins = [file for one, file in self._files if one.name in wanted]
        return twins[0] if twins and rng.random() < 0.5 else rng.choice(self._files)[1]


def skops_loader(families: Iterable[Family]) -> Callable[[bytes, Family, str], Any]:
    import skops.io

    trusted: set[str] = set()
    for family in families:
        try:
            trusted |= set(skops.io.get_untrusted_types(data=skops.io.dumps(family.value)))
        except Exception:  # noqa: S112 - skops does not write everything
            continue
    names = sorted(trusted)
    return lambda data, family, writer: skops.io.loads(data, trusted=names)
