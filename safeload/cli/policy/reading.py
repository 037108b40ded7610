"""What a file needs, or why that cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import safeload
from safeload.cli import ui
from safeload.cli.exits import UNUSABLE
from safeload.cli.wording import error_document
from safeload.errors import SafeloadError

if TYPE_CHECKING:
    from safeload import Needs, Policy

__all__ = ["read"]


def read(model: str, policy: Policy) -> tuple[Needs | None, dict[str, Any], int]:
    """The needs of a file; else the error, said, as a document, and the exit code.

    Whatever the reason: of a file that cannot be read to its end nobody can say what it needs.
    """
    try:
        return safeload.needs(model, policy=policy), {}, 0
    except (SafeloadError, OSError, MemoryError) as error:
        ui.error(error)
        return None, {"file": model, "error": error_document(error)}, UNUSABLE
