"""From observations to findings: what a policy thinks of a part of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.policy.advice import Risk, advise
from safeload.policy.allowlist import verified_only
from safeload.policy.rules import RULE_OF, RULES, Severity
from safeload.readers.observations import Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.policy.policy import Policy
    from safeload.readers.files.parts import Observation, Part
    from safeload.readers.observations import GlobalUse

__all__ = ["Finding", "findings_of"]

_TINY = 128
_REGISTERED = "custom-object"
_TORCH_SCRIPT = "__torch__"
_BY_RISK = {Risk.OWN: "SL201", Risk.CALLED: "SL201", Risk.SIGNED: "SL201", Risk.LEFT_OUT: "SL202"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement. `member` leads to the part within the file, `offset` counts in that part's plain bytes.

    `text` is the chain in words, `name` the global that it is about, if it is about one; `do` is what to do now.
    """

    rule: str
    severity: Severity
    member: tuple[str, ...]
    offset: int
    text: str
    do: str
    name: str = ""


def findings_of(part: Part, policy: Policy) -> Iterator[Finding]:
    """The findings of one part, in the order of its bytes."""
    for seen in sorted(part.observations, key=lambda each: each.offset):
        if seen.kind == "unread":
            continue
        if seen.used is None or seen.kind == _REGISTERED:
            found = None if _is_allowed(seen, policy) else _of_fact(part, seen)
        else:
            found = _of_global(part, seen, seen.used, policy)
        if found is not None:
            yield found


def _is_allowed(seen: Observation, policy: Policy) -> bool:
    """Keras finds a registered class by a name that is no module's: whether a policy names it all the same."""
    return seen.used is not None and not policy.denied(seen.used)


def _of_fact(part: Part, seen: Observation) -> Finding | None:
    if seen.kind == "persistent-id" and _is_of_torch(part):
        return None
    return _found(part, RULE_OF[seen.kind], seen.offset, seen.text)


def _is_of_torch(part: Part) -> bool:
    """PyTorch keeps storages beside the pickle, and names them there by number."""
    return part.kind in ("torch, legacy", "torch, tar") or (bool(part.path) and part.path[-1].endswith("/data.pkl"))


def _found(part: Part, rule: str, offset: int, text: str, *, do: str = "", name: str = "") -> Finding:
    known = RULES[rule]
    return Finding(rule, known.severity, part.path, offset, text, do or known.do, name)


def _of_global(part: Part, seen: Observation, used: GlobalUse, policy: Policy) -> Finding | None:
    denied = policy.denied(used)
    if (used.path, used.arguments) == ("builtins.type", "None") and part.size < _TINY:
        return None  # how the type of None is pickled
    if not denied:
        return _of_native(part, seen, used)
    if _is_script(part, used, denied) or _is_a_type(part, used, denied, policy):
        return None
    advice = advise(used, denied)
    name = printable(used.path)
    if seen.kind == "target" and advice.risk in _BY_RISK:
        return None  # configurations name classes of all libraries; of these, what is known to do harm
    rule = _BY_RISK.get(advice.risk) or ("SL101" if Use.CALLED in denied else "SL102")
    given = f" with {used.arguments}" if used.arguments and Use.CALLED in denied else ""
    alias = ""
    if (used.stream_module, used.stream_name) != (used.module, used.name):
        alias = f' (written as "{printable(f"{used.stream_module}.{used.stream_name}")}")'
    text = f"{name}{alias} is {denied.words}{given} while loading: {advice.reason}"
    do = f"{advice.option} {name}, if it is yours or you trust whoever made it" if advice.option else ""
    return _found(part, rule, seen.offset, text, do=do, name=name)


def _of_native(part: Part, seen: Observation, used: GlobalUse) -> Finding | None:
    """What the policy allows, and C++ reads: only verified files get to it."""
    library = verified_only().get((used.module, used.name))
    if library is None or used.use is Use.REFERENCED:
        return None
    text = f"{printable(used.path)} holds a model that {library}'s C++ reads"
    return _found(part, "SL601", seen.offset, text, name=printable(used.path))


def _is_a_type(part: Part, used: GlobalUse, denied: Use, policy: Policy) -> bool:
    """Hickle keeps a table of the types of what it holds, each as a pickle of the class and of nothing else."""
    in_table = bool(part.path) and part.path[-1].startswith("/hickle_types_table/")
    return in_table and denied is Use.REFERENCED and (used.module, used.name) in policy.allowed


def _is_script(part: Part, used: GlobalUse, denied: Use) -> bool:
    """Classes that TorchScript defines itself, in the code of the archive."""
    script = used.module == _TORCH_SCRIPT or used.module.startswith(f"{_TORCH_SCRIPT}.")
    place = bool(part.path) and part.path[-1].endswith(("/data.pkl", "/constants.pkl"))
    return script and Use.CALLED not in denied and place
