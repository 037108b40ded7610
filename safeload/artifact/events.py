"""One event of ``logging`` for each verification and each load (docs/logging.md), for whoever runs a service.

The message is a sentence; what a machine compares is the record's attribute ``safeload``, a dict of plain values.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.errors import SafeloadError

__all__ = ["log_accepted", "log_refused"]

_log = logging.getLogger("safeload")
_log.addHandler(logging.NullHandler())  # what is logged is for who asks for it; errors are raised besides


def log_accepted(decision: str, file: str, container_id: str, signers: Iterable[tuple[str, str]]) -> None:
    """`decision` is ``"verified"`` or ``"loaded"``; of each signer the name and the keyid."""
    if not _log.isEnabledFor(logging.INFO):  # as a rule; it need not be put into words then
        return
    named = tuple(signers)
    who = ", ".join(name for name, _ in named) or "nobody known"
    event = _event(decision, file, container_id, (keyid for _, keyid in named))
    _log.info("%s %s, signed by %s", decision, printable(file), who, extra={"safeload": event})


def log_refused(error: SafeloadError, file: str, container_id: str = "", keyids: Iterable[str] = ()) -> None:
    """`container_id` and `keyids` are what the file claims, where it could be read so far: nobody vouches for them."""
    event = {
        **_event("refused", file, container_id, keyids),
        "reason": error.message,
        "error": type(error).__name__,
        "violation": str(getattr(error, "violation", "")),
    }
    _log.warning("refused: %s", error.message, extra={"safeload": event})


def _event(decision: str, file: str, container_id: str, keyids: Iterable[str]) -> dict[str, object]:
    return {
        "decision": decision,
        "file": printable(file),
        "container_id": container_id,
        "keyids": list(keyids),
        "reason": "",
        "error": "",
        "violation": "",
    }
