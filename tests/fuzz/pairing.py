"""Mutations of pairing: valid parts of one model in the place of those of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.cuts import closed_copy, replaced
from fuzz.nodes import Tree
from fuzz.tokens import Token, fresh

if TYPE_CHECKING:
    import random

    from fuzz.nodes import Node
    from fuzz.pool import Pool

__all__ = ["MUTATIONS"]

Mutation = tuple[list[Token], str]


def _place(rng: random.Random, tree: Tree) -> Node | None:
    """A node that is no key, mostly an attribute."""
    if tree.attributes and rng.random() < 0.7:
        return rng.choice(tree.attributes)
    choice = [node for node in rng.choices(tree.nodes, k=4) if node.parent is not None and node.key[-1:] != "#"]
    return choice[0] if choice else None


def _swapped(tree: Tree, node: Node, found: tuple[list[Token], str] | None) -> Mutation | None:
    if found is None:
        return None
    return replaced(tree, node.start, node.end, found[0]), f"{node.tag} at {node.path} = {found[1]}"


def same_name(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _place(rng, tree)
    return None if node is None else _swapped(tree, node, pool.called(rng, node))


def same_kind(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _place(rng, tree)
    return None if node is None else _swapped(tree, node, pool.like(rng, node))


def twin(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """One attribute from another object of the class."""
    node = rng.choice(tree.attributes) if tree.attributes else None
    return None if node is None else _swapped(tree, node, pool.twin(rng, node))


def crossed(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Half of an object's attributes from other objects of the class."""
    owners = sorted({id(node.parent): node.parent for node in tree.attributes if node.parent}.values(), key=_start)
    if not owners:
        return None
    state = rng.choice(owners)
    share = rng.choice((0.1, 0.3, 0.5))
    tokens, names = list(tree.tokens), []
    for node in reversed(state.parts[1::2]):  # from behind, so that places stay what they are
        found = pool.twin(rng, node) if rng.random() < share else None
        if found is not None:
            tokens = replaced(_with(tree, tokens), node.start, node.end, found[0])
            names.append(node.key)
    return (tokens, f"{state.path}: {', '.join(names)} from others") if names else None


def _start(node: Node) -> int:
    return node.start


def _with(tree: Tree, tokens: list[Token]) -> Tree:
    return Tree(tokens, tree.nodes, tree.defined)


def anything(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _place(rng, tree)
    if node is None or node.parent is None or node.parent.tag == "global":
        return None
    return _swapped(tree, node, pool.any(rng))


def own(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Another part of the same model, of the same kind."""
    node = _place(rng, tree)
    if node is None:
        return None
    other = rng.choice(tree.by_tag[node.tag])
    copy = closed_copy(tree, other)
    return _swapped(tree, node, None if copy is None else (fresh(copy), f"own {other.tag} at {other.path}"))


MUTATIONS = ((same_name, 4), (same_kind, 4), (twin, 6), (crossed, 3), (anything, 1), (own, 3))
