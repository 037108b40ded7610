"""A stream's observations held against a policy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from safeload.errors import DisallowedGlobalError, PolicyError, UnsafeStreamError
from safeload.readers.observations import GlobalUse, Stream, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.policy.policy import Policy

__all__ = ["check_stream", "denied_globals", "of_member", "streams_of"]


def streams_of(stream: Stream) -> Iterator[Stream]:
    """The stream and those nested in its arrays."""
    yield stream
    for array in stream.arrays:
        if array.nested is not None:
            yield array.nested


def denied_globals(stream: Stream, policy: Policy) -> Iterator[GlobalUse]:
    """Each global that `policy` does not allow in the way that `stream` uses it, in the order of the file."""
    for part in streams_of(stream):
        for used in part.globals:
            if policy.denied(used):
                yield used


def check_stream(stream: Stream, policy: Policy, *, member: str) -> None:
    """Raise PolicyError for the first thing that `policy` does not allow: a global before an oddity, by offset."""
    used = min(denied_globals(stream, policy), key=lambda each: each.offset, default=None)
    if used is not None:
        raise _disallowed(used, policy, member)
    if policy.everything:
        return
    for part in streams_of(stream):
        for fact in part.facts:
            raise UnsafeStreamError(
                f"refused at byte {fact.offset:,}{of_member(member)}: {fact.text}",
                fact=fact.kind,
                offset=fact.offset,
                member=member,
            )


def of_member(member: str) -> str:
    """` of member "..."`, or nothing for a plain file, which has no members."""
    return f' of member "{printable(member)}"' if member else ""


def _disallowed(used: GlobalUse, policy: Policy, member: str) -> PolicyError:
    denied = policy.denied(used)
    path = printable(used.path)
    alias = ""
    if (used.stream_module, used.stream_name) != (used.module, used.name):
        alias = f' (written as "{printable(f"{used.stream_module}.{used.stream_name}")}")'
    return DisallowedGlobalError(
        f"{path}{alias} is {denied.words} at byte {used.offset:,}{of_member(member)}, "
        "and the policy does not allow that",
        module=used.module,
        name=used.name,
        use=denied.words,
        offset=used.offset,
        member=member,
        hint=_hint(path, denied),
    )


def _hint(path: str, denied: Use) -> str:
    if path.partition(".")[0] in sys.stdlib_module_names:
        if Use.CALLED in denied:
            return "loading would have called it; nothing was executed. Ask whoever made the file what it is for"
        return "ask whoever made the file what it is for"
    if Use.CALLED in denied:
        return (
            "loading would have called it; nothing was executed. If it is yours and harmless with any arguments: "
            f'Policy.default().allow("{path}", use=("new", "build", "reference", "call")), or --allow-call {path}'
        )
    return f'if it is yours or you trust it: Policy.default().allow("{path}"), or --allow {path}'
