"""Whether somebody should allow what a policy does not grant, and why: a judgement of each use, in words."""

from __future__ import annotations

import enum
import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.policy.allowlist import owners_of
from safeload.policy.known import DANGEROUS, LEFT_OUT, STANDARD_LIBRARY, known
from safeload.policy.policy import Policy
from safeload.readers.observations import Use
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.observations import GlobalUse

__all__ = ["ALLOW", "ALLOW_CALL", "Advice", "Risk", "advise"]

ALLOW, ALLOW_CALL = "--allow", "--allow-call"
_NAME_MAX = 1_000
_LETTERS_SHOWN = 3


class Risk(enum.StrEnum):
    """From the worst to the least; the first two are never to be allowed."""

    DANGEROUS = "dangerous"
    LEFT_OUT = "left-out"
    CALLED = "called"
    OWN = "own"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Advice:
    """`option` is the one to allow the name with, `instead` what to do where there is none; one of them is empty."""

    risk: Risk
    reason: str
    instead: str = ""
    option: str = ""


_ASK = "Do not allow it: ask whoever made the file what it is for"
_RESAVE = "Save the model again without it, with versions that the list was made for: safeload policy show"
_BY_JOBLIB = "Save the model again, with joblib or pickle"
_MOVE = "Move it into a module that can be imported, and save the model again"

_CALLED = (
    "its code gets arguments from the file, so never, unless it is harmless with any arguments, as an enum of yours is"
)
_MADE = (
    "allowing it imports its module, and its __setstate__, its __del__ and every method that is called later work on "
    "attributes from the file"
)
_KEPT = "allowing it imports its module, and the model may call it later, with any arguments"
_SIGNED = "the default policy grants it to files whose signature holds, and not to those that nobody signed"
_SCRIPT = "it was defined in the script or notebook that saved the file, and can be found only where that is running"


def advise(used: GlobalUse, denied: Use) -> Advice:
    """What to think of allowing the `denied` part of the use of a global. Looks at names only, and imports nothing."""
    name = used.path if len(used.module) + len(used.name) <= _NAME_MAX else ""
    if not name or not all(part.isidentifier() for part in name.split(".")):
        return Advice(Risk.DANGEROUS, "no pickler writes such a name", _ASK)
    granted = Policy.default().allowed.get((used.module, used.name), Use(0))
    if granted:
        return _of_a_listed(used, granted, denied)
    return _of_a_table(name) or _of_its_package(used, denied)


def _of_a_listed(used: GlobalUse, granted: Use, denied: Use) -> Advice:
    if not Policy.default().denied(used):
        return Advice(Risk.SIGNED, _SIGNED, option=_option(denied))
    if extra := denied & ~granted:
        reason = f"the default policy grants it to be {granted.words}; here it is {extra.words}, which nobody reviewed"
        return Advice(Risk.LEFT_OUT, reason, _BY_JOBLIB)
    owners = ", ".join(sorted(".".join(owner) for owner in owners_of()[used.module, used.name]))
    return Advice(Risk.LEFT_OUT, f"it may stand only in the arguments or the state of {owners}", _BY_JOBLIB)


def _of_a_table(name: str) -> Advice | None:
    entry = known(name)
    if entry is None:
        return None
    if entry in DANGEROUS:
        return Advice(Risk.DANGEROUS, DANGEROUS[entry], _ASK)
    return Advice(Risk.LEFT_OUT, *LEFT_OUT[entry])


def _of_its_package(used: GlobalUse, denied: Use) -> Advice:
    name, package = used.path, used.module.partition(".")[0]
    if package in sys.stdlib_module_names:
        return Advice(Risk.DANGEROUS, STANDARD_LIBRARY, _ASK)
    outer, dot, _ = used.name.partition(".")
    if dot and (known(used.name) or outer in sys.stdlib_module_names or outer in _reviewed()):
        # A class in a class has a dotted name. So has os.system, where mypkg imports os.
        return Advice(Risk.DANGEROUS, f"it leads through {package} to {used.name}", _ASK)
    if package == "__main__":
        return Advice(Risk.OWN, _SCRIPT, _MOVE)
    if package in _reviewed():
        return Advice(Risk.LEFT_OUT, f"the list for {package} was reviewed name by name, and it is not there", _RESAVE)
    if Use.CALLED in denied:
        return Advice(Risk.CALLED, _CALLED + _look_alike(name), option=ALLOW_CALL)
    return Advice(Risk.OWN, (_KEPT if denied is Use.REFERENCED else _MADE) + _look_alike(name), option=ALLOW)


def _option(denied: Use) -> str:
    return ALLOW_CALL if Use.CALLED in denied else ALLOW


def _look_alike(name: str) -> str:
    """Letters of another script look like those of your own package."""
    odd = sorted({char for char in name if not char.isascii()})
    shown = ", ".join(f"{printable(char)} is U+{ord(char):04X}" for char in odd[:_LETTERS_SHOWN])
    return f". Compare the spelling: {shown}" if odd else ""


@functools.cache
def _reviewed() -> frozenset[str]:
    return frozenset(module.partition(".")[0] for module, _ in Policy.default().allowed)
