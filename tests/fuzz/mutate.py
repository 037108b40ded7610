"""From a number to a mutant: which model, which writer, which one to three changes. The same for the same seed."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fuzz import order, pairing, values
from fuzz.family import WRITERS, Family
from fuzz.nodes import Tree, parse
from fuzz.pool import Pool
from fuzz.tokens import Token, write

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Mutant", "Mutator", "mutated"]

_ALL: tuple[tuple[Any, int], ...] = (*values.MUTATIONS, *order.MUTATIONS, *pairing.MUTATIONS)
_TRIES = 20


class Mutant(NamedTuple):
    """Bytes, where they come from, and what was done to them."""

    number: int
    family: Family
    writer: str
    data: bytes
    steps: tuple[str, ...]


@cache
def _weighted() -> tuple[list[Any], list[int]]:
    return [mutation for mutation, _ in _ALL], [weight for _, weight in _ALL]


def mutated(rng: random.Random, tree: Tree, pool: Pool) -> tuple[list[Token], str] | None:
    """One change, or None if twenty tries came to nothing."""
    for mutation in rng.choices(*_weighted(), k=_TRIES) if tree.nodes else ():
        found: tuple[list[Token], str] | None = mutation(rng, tree, pool)
        if found is not None:
            return found[0], f"{mutation.__name__}: {found[1]}"
    return None


class Mutator:
    """All mutants of one seed."""

    def __init__(self, families: Sequence[Family], seed: int) -> None:
        self.families, self.seed = families, seed
        trees = {writer: [one.trees[writer] for one in families if writer in one.trees] for writer in WRITERS}
        self.pools = {writer: Pool(writer, some) for writer, some in trees.items()}

    def __getitem__(self, index: int) -> Mutant:
        rng = random.Random(f"{self.seed}:{index}")  # noqa: S311 - to be repeated, not to be secret
        family = rng.choice(self.families)
        writer = rng.choice(family.writers)
        tree, pool = family.trees[writer], self.pools[writer]
        steps: list[str] = []
        tokens = tree.tokens
        for count in range(rng.choice((1, 1, 1, 1, 2, 2, 3))):
            try:
                tree = parse(tokens) if count else tree
            except (IndexError, KeyError):
                break  # no stream any more
            found = mutated(rng, tree, pool)
            if found is None:
                break
            tokens, step = found
            steps.append(step)
        return Mutant(index, family, writer, write(tokens), tuple(steps))
