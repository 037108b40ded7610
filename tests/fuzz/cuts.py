"""Cutting and pasting: a part with all that it fetches, and a stream with another part in a span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.tokens import DEFINE, FETCH, Token

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fuzz.nodes import Node, Tree

__all__ = ["closed_copy", "replaced"]

_LONGEST = 4_000


def closed_copy(tree: Tree, node: Node, known: Collection[int] = ()) -> list[Token] | None:
    """The tokens of `node` with all that it fetches from outside in place, or None: a loop, or too much.

    Entries of `known` names are fetched as they are.
    """
    tokens: list[Token] = []
    defined = set(known)
    whole = node.source or node
    waiting = list(reversed(range(whole.start, whole.end)))
    while waiting:
        at = waiting.pop()
        token = tree.tokens[at]
        if token.kind == FETCH and token.name not in defined:
            source = tree.defined.get(token.name)
            if source is None or source.end > at:  # it was complete before, or it is a loop
                return None
            waiting += reversed(range(source.start, source.end))
            continue
        if token.kind == DEFINE:
            defined.add(token.name)
        tokens.append(token)
        if len(tokens) > _LONGEST:
            return None
    return tokens


def replaced(tree: Tree, start: int, end: int, new: Sequence[Token]) -> list[Token]:
    """The stream with other tokens in a span. What later parts fetch from there, they get in its first place."""
    known = {token.name for token in (*tree.tokens[:start], *new) if token.kind == DEFINE}
    tokens = [*tree.tokens[:start], *new]
    for token in tree.tokens[end:]:
        copy = None
        if token.kind == FETCH and token.name not in known and token.name in tree.defined:
            copy = closed_copy(tree, tree.defined[token.name], known)
        for each in copy or (token,):
            if each.kind == DEFINE:
                known.add(each.name)
            tokens.append(each)
    return tokens
