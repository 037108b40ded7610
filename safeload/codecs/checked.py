"""A file of a framework's own format, held against a policy before the framework sees it.

The same readers and rules as `safeload scan`: what would be a finding that counts there is refused here, and so is
what cannot be read to its end.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from safeload.engine.tables import WATCHED
from safeload.errors import CodecError, MissingExtraError, UnsafeFileError
from safeload.limits import ScanLimits
from safeload.policy.findings import findings_of
from safeload.policy.rules import Severity
from safeload.readers.files.table import read_file
from safeload.text import plural, printable

if TYPE_CHECKING:
    from safeload.codecs.base import Held, LoadOptions
    from safeload.policy import Policy
    from safeload.readers.files.parts import Part

__all__ = ["NOT_LISTED", "check_file", "check_parts", "own_classes", "parts_of_file"]


NOT_LISTED = frozenset({"SL201", "SL202"})


def check_file(view: memoryview, held: Held, options: LoadOptions) -> list[Part]:
    """The parts of a file in which nothing counts against loading it. Raises UnsafeFileError."""
    parts = parts_of_file(view, options)
    check_parts(parts, held, options.policy)
    return parts


def parts_of_file(view: memoryview, options: LoadOptions) -> list[Part]:
    """The file itself first, then what is in it."""
    given = options.limits
    limits = ScanLimits(expansion_floor=given.expansion_floor, expansion_ratio=given.expansion_ratio)
    return read_file(view, limits, WATCHED)


def check_parts(parts: list[Part], held: Held, policy: Policy, *, not_allowed: str | None = None) -> None:
    """Raise UnsafeFileError unless nothing in them counts. `not_allowed` is what to do about a name that is in no
    policy, where to allow it would not help."""
    found = [each for part in parts for each in findings_of(part, policy) if each.severity >= Severity.MEDIUM]
    if found:
        worst = max(found, key=lambda each: each.severity)
        more = f" (and {plural(len(found) - 1, 'finding')} more)" if len(found) > 1 else ""
        inside = " > ".join((held.name, *worst.member))
        raise UnsafeFileError(
            f"{printable(inside)}: {worst.text}{more}",
            rule=worst.rule,
            offset=worst.offset,
            member=held.name,
            hint=not_allowed if not_allowed and worst.rule in NOT_LISTED else worst.do,
        )
    for part in parts:
        for seen in part.observations:
            if seen.kind == "unread":
                text = f"{printable(' > '.join((held.name, *part.path)))} cannot be read to its end: {seen.text}"
                if seen.extra:
                    raise MissingExtraError(text, extra=seen.extra, hint=f"pip install 'safeload[{seen.extra}]'")
                raise UnsafeFileError(text, rule="unread", offset=seen.offset, member=held.name)


def own_classes(parts: list[Part], options: LoadOptions) -> dict[str, Any]:
    """The classes that a policy allowed by name, by that name: whoever wrote the policy vouches for them."""
    found = {}
    for part in parts:
        for used in part.globals.values():
            if not options.policy.denied(used):
                try:
                    found[used.name] = getattr(importlib.import_module(used.module), used.name)
                except (ImportError, AttributeError) as error:
                    raise CodecError(f"the model needs {printable(used.path)}, which is not here") from error
    return found
