"""A stream's observations held against a policy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from safeload.errors import DisallowedGlobalError, PolicyError, UnsafeStreamError
from safeload.policy.allowlist import verified_only
from safeload.policy.policy import Policy
from safeload.readers.observations import GlobalUse, Stream, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["check_called", "check_made", "check_stream", "denied_globals", "made_of", "of_member", "streams_of"]


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
        raise _disallowed(used, policy, member, _verified_hint(used, denied_globals(stream, policy)))
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


def check_made(key: tuple[str, str], policy: Policy, *, member: str) -> None:
    """Raise DisallowedGlobalError unless `policy` lets an object of this class be made, which no stream names."""
    used = made_of(key)
    if policy.denied(used):
        raise _disallowed(used, policy, member, _verified_hint(used, (used,)))


def check_called(key: tuple[str, str], policy: Policy, *, member: str, hint: str) -> None:
    """Raise DisallowedGlobalError with that hint unless `policy` lets this be called, which no stream names."""
    used = GlobalUse(*key, 0, Use.CALLED, *key)
    if policy.denied(used):
        raise _disallowed(used, policy, member, hint)


def made_of(key: tuple[str, str]) -> GlobalUse:
    """The use of a class of which an object is made."""
    module, name = key
    return GlobalUse(module, name, 0, Use.INSTANTIATED | Use.BUILT, module, name)


def of_member(member: str) -> str:
    """` of member "..."`, or nothing for a plain file, which has no members."""
    return f' of member "{printable(member)}"' if member else ""


def _disallowed(used: GlobalUse, policy: Policy, member: str, hint: str) -> PolicyError:
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
        hint=hint or _hint(used, denied),
    )


_KERAS = "keras.src."
_KERAS_HINT = (
    "nothing was executed. If it is a model of Keras, whose pickle would unpack an archive unchecked: "
    'model.save("model.keras") where it was trained, and load or convert that'
)


def _verified_hint(used: GlobalUse, all_denied: Iterable[GlobalUse]) -> str:
    """Why a file without a signature gets no booster, and all the names that one who trusts it has to say; or what to
    save instead of a pickled model of Keras. Empty for all else."""
    if used.path == "builtins.getattr" and any(each.path.startswith(_KERAS) for each in all_denied):
        return _KERAS_HINT
    default = Policy.default()
    library = verified_only().get((used.module, used.name))
    if library is None or default.denied(used):
        return ""
    names = {each.path for each in all_denied if not default.denied(each)}
    options = " ".join(f"--allow {path}" for path in sorted(names))
    return (
        f"{library} reads a model in C++ that promises nothing about hostile bytes, so it is for verified files. "
        f"If you trust whoever made this one: policy=Policy.default(), or {options}"
    )


def _hint(used: GlobalUse, denied: Use) -> str:
    from safeload.policy.advice import advise  # only where something is refused

    path, advice = printable(used.path), advise(used, denied)
    if path.partition(".")[0] in sys.stdlib_module_names:
        if Use.CALLED in denied:
            return "loading would have called it; nothing was executed. Ask whoever made the file what it is for"
        return "ask whoever made the file what it is for"
    if not advice.option:
        executed = "loading would have called it; nothing was executed. " if Use.CALLED in denied else ""
        return f"{executed}{advice.reason[:1].upper()}{advice.reason[1:]}. {advice.instead}"
    if Use.CALLED in denied:
        return (
            "loading would have called it; nothing was executed. If it is yours and harmless with any arguments: "
            f'Policy.default().allow("{path}", use=("new", "build", "reference", "call")), or --allow-call {path}'
        )
    return f'if it is yours or you trust it: Policy.default().allow("{path}"), or --allow {path}'
