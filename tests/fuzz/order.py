"""Mutations of order: states left out, given twice, used before they are there; aliases; opcodes gone or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.cuts import replaced
from fuzz.nodes import parse
from fuzz.tokens import DEFINE, FETCH, NESTED, Token, fresh, read, write

if TYPE_CHECKING:
    import random

    from fuzz.nodes import Node, Tree
    from fuzz.pool import Pool

__all__ = ["MUTATIONS"]

Mutation = tuple[list[Token], str]
_POP = Token(0x30, b"0")
_NAME = -2  # of an entry that a mutation makes


def _built(rng: random.Random, tree: Tree) -> Node | None:
    choice = [node for node in tree.nodes if node.build is not None]
    return rng.choice(choice) if choice else None


def drop_build(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _built(rng, tree)
    if node is None or node.build is None:
        return None
    tokens = tree.tokens.copy()
    tokens[node.build] = _POP
    return tokens, f"no BUILD of {node.tag} at {node.path}"


def build_twice(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _built(rng, tree)
    if node is None or node.build is None:
        return None
    state = node.parts[-1]
    again = fresh(tree.tokens[state.start : node.build + 1])
    at = node.build + 1 if rng.random() < 0.5 else node.end
    return [*tree.tokens[:at], *again, *tree.tokens[at:]], f"BUILD twice of {node.tag} at {node.path}"


def alias(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Two places hold one object: a state, bytes, a list, the object itself."""
    one, other = rng.sample(tree.nodes, 2) if len(tree.nodes) > 1 else (None, None)
    if one is None or other is None:
        return None
    same = tree.by_tag[one.tag]
    other = rng.choice(same) if rng.random() < 0.7 else other
    if one.start > other.start:
        one, other = other, one
    if one is other or one.parent is None or other.parent is None or other.parent.tag == "global":
        return None
    how = f"{other.tag} at {other.path} is the {one.tag} at {one.path}"
    if one.end > other.start:  # inside of itself: fetched before it is complete
        begun = next((at for at in range(one.start, other.start) if tree.tokens[at].kind == DEFINE), None)
        if begun is None:
            return None
        return replaced(tree, other.start, other.end, [Token(FETCH, b"", tree.tokens[begun].name)]), how
    tokens = replaced(tree, other.start, other.end, [Token(FETCH, b"", _NAME)])
    tokens.insert(one.end, Token(DEFINE, b"", _NAME))
    return tokens, how


def swap_keys(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Entries of the memo for one another."""
    fetches = [at for at, token in enumerate(tree.tokens) if token.kind == FETCH]
    if len(fetches) < 2:
        return None
    one, other = rng.sample(fetches, 2)
    tokens = tree.tokens.copy()
    tokens[one], tokens[other] = tokens[other], tokens[one]
    return tokens, f"memo keys of tokens {one} and {other} swapped"


def swap_parts(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Two parts of one object change places: values of a dict, items of a list or tuple."""
    parents = [node for node in tree.nodes if len(node.parts) > 1 and node.tag in ("dict", "list", "tuple", "set")]
    if not parents:
        return None
    parent = rng.choice(parents)
    step = 2 if parent.tag == "dict" else 1
    parts = parent.parts[step - 1 :: step]
    if len(parts) < 2:
        return None
    one, other = sorted(rng.sample(parts, 2), key=lambda part: part.start)
    first, second = tree.tokens[one.start : one.end], tree.tokens[other.start : other.end]
    between = tree.tokens[one.end : other.start]
    tokens = [*tree.tokens[: one.start], *second, *between, *first, *tree.tokens[other.end :]]
    return tokens, f"{one.path} and {other.path} swapped"


def _with_parts(tree: Tree, *tags: str) -> list[Node]:
    """Where a part can be taken, and of a dict a key with its value."""
    return [node for node in tree.nodes if node.tag in tags and len(node.parts) > (node.tag == "dict")]


def drop_part(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """An attribute or item less."""
    parents = _with_parts(tree, "dict", "list", "tuple", "set")
    if not parents:
        return None
    parent = rng.choice(parents)
    step = 2 if parent.tag == "dict" else 1
    at = rng.randrange(0, len(parent.parts) - step + 1, step)
    first, last = parent.parts[at], parent.parts[at + step - 1]
    return replaced(tree, first.start, last.end, []), f"{last.path} left out"


def double_part(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    parents = _with_parts(tree, "dict", "list", "tuple")
    if not parents:
        return None
    parent = rng.choice(parents)
    step = 2 if parent.tag == "dict" else 1
    at = rng.randrange(0, len(parent.parts) - step + 1, step)
    first, last = parent.parts[at], parent.parts[at + step - 1]
    again = fresh(tree.tokens[first.start : last.end]) * rng.choice((1, 1, 3, 40))
    return [*tree.tokens[: last.end], *again, *tree.tokens[last.end :]], f"{last.path} doubled"


def opcodes(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """One opcode gone, doubled, or moved."""
    at = rng.randrange(1, len(tree.tokens))
    tokens = tree.tokens.copy()
    way = rng.choice(("gone", "doubled", "moved"))
    token = tokens.pop(at)
    if way == "doubled":
        tokens[at:at] = [token, token]
    elif way == "moved":
        tokens.insert(min(len(tokens), at + rng.randrange(1, 6)), token)
    return tokens, f"token {at} {way}"


def nested(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Any of these and those in the stream of an array of objects."""
    from fuzz.mutate import mutated

    places = [at for at, token in enumerate(tree.tokens) if token.kind == NESTED]
    if not places:
        return None
    at = rng.choice(places)
    found = mutated(rng, parse(read(tree.tokens[at].raw)), pool)
    if found is None:
        return None
    tokens = tree.tokens.copy()
    tokens[at] = Token(NESTED, write(found[0]))
    return tokens, f"inside of token {at}: {found[1]}"


MUTATIONS = (
    (drop_build, 1), (build_twice, 1), (alias, 3), (swap_keys, 1), (swap_parts, 3), (drop_part, 2), (double_part, 1),
    (opcodes, 1), (nested, 1),
)  # fmt: skip
