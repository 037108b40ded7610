"""Valid parts of all models, to be put in each other's place: by what they are, and by the attribute they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.cuts import closed_copy
from fuzz.tokens import fresh

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from fuzz.nodes import Node, Tree
    from fuzz.tokens import Token

__all__ = ["Pool"]

Place = tuple["Tree", "Node"]


class Pool:
    """The nodes of the streams that one writer wrote."""

    def __init__(self, writer: str, trees: Iterable[Tree]) -> None:
        self.writer = writer
        self.places: list[Place] = []
        self._by_tag: dict[str, list[Place]] = {}
        self._by_key: dict[str, list[Place]] = {}
        self._by_owner: dict[tuple[str, str], list[Place]] = {}
        for tree in trees:
            for node in tree.nodes:
                self.places.append((tree, node))
                self._by_tag.setdefault(node.tag, []).append((tree, node))
                if node.key and node.key[0] != "[" and node.key[-1] != "#":
                    self._by_key.setdefault(node.key, []).append((tree, node))
                    if node.owner:
                        self._by_owner.setdefault((node.owner, node.key), []).append((tree, node))

    def like(self, rng: random.Random, node: Node) -> tuple[list[Token], str] | None:
        """Something of the same kind, from anywhere."""
        return self._one(rng, self._by_tag.get(node.tag, ()))

    def called(self, rng: random.Random, node: Node) -> tuple[list[Token], str] | None:
        """What another model has under the same name."""
        return self._one(rng, self._by_key.get(node.key, ()))

    def twin(self, rng: random.Random, node: Node) -> tuple[list[Token], str] | None:
        """The same attribute of another object of the same class."""
        return self._one(rng, self._by_owner.get((node.owner, node.key), ()))

    def any(self, rng: random.Random) -> tuple[list[Token], str] | None:
        return self._one(rng, self.places)

    def _one(self, rng: random.Random, places: Iterable[Place]) -> tuple[list[Token], str] | None:
        choice = list(places) if not isinstance(places, list) else places
        if not choice:
            return None
        tree, node = rng.choice(choice)
        copy = closed_copy(tree, node)
        return None if copy is None else (fresh(copy), f"{node.tag} at {node.path}")
