"""Errors, sizes and times in words. Nothing here prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click

from safeload.errors import SafeloadError
from safeload.keys import short
from safeload.text import duration, printable, size

if TYPE_CHECKING:
    from safeload import Artifact, Manifest

    class Member(Protocol):
        """A member of a manifest."""

        @property
        def size(self) -> int: ...
        @property
        def stored(self) -> int: ...
        @property
        def encoding(self) -> str: ...


__all__ = ["cut", "duration", "error_document", "error_lines", "holds", "readers_of", "shown", "signers_of", "size"]


def shown(text: str) -> str:
    """`text` with whatever hides in it escaped. Backslashes stay: what came out of a file has been escaped before."""
    return "".join(char if char in "\\\n" or 32 <= ord(char) < 127 else printable(char) for char in text)


def signers_of(artifact: Artifact) -> str:
    """``team (3f9a2b1c...)``, or several."""
    return ", ".join(f"{printable(key.name)} ({short(key.keyid)})" for key in artifact.signers)


def readers_of(manifest: Manifest) -> str:
    """``3f9a2b1c..., 77ab01fe...``, or whoever knows the passphrase; empty for a file that is not encrypted."""
    stanzas = manifest.encryption.recipients if manifest.encryption else ()
    return ", ".join(short(str(each["keyid"])) if "keyid" in each else "who knows the passphrase" for each in stanzas)


def cut(text: str, width: int) -> str:
    """`text`, or as much of it as fits."""
    return text if len(text) <= width else text[: width - 3] + "..."


def holds(member: Member) -> str:
    """``11.8 MB, 1.0 MB as zstd``."""
    stored = "" if member.encoding == "identity" else f", {size(member.stored)} as {printable(member.encoding)}"
    return f"{size(member.size)}{stored}"


def error_lines(error: BaseException) -> list[str]:
    """What the user sees of `error`."""
    lines = [f"safeload: error: {_message(error)}"]
    if hint := _hint(error):
        lines.append(f"safeload: hint: {hint}")
    return [shown(line) for line in lines]


def error_document(error: BaseException) -> dict[str, str]:
    """The same for ``--json``."""
    return {"type": type(error).__name__, "message": shown(_message(error)), "hint": shown(_hint(error))}


def _message(error: BaseException) -> str:
    if isinstance(error, SafeloadError):
        return error.message
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, click.ClickException):
        return _lower(error.format_message().rstrip("."))
    return "not enough memory" if isinstance(error, MemoryError) else str(error)


def _of_the_system(error: OSError) -> str:
    reason = _lower(error.strerror) if error.strerror else str(error)
    # Of a rename it is the second name that the user gave.
    name = error.filename2 or error.filename
    return reason if name is None else f"{printable(str(name)) or repr('')}: {reason}"


def _hint(error: BaseException) -> str:
    if isinstance(error, SafeloadError):
        return error.hint
    if isinstance(error, click.UsageError):
        return f"{error.ctx.command_path if error.ctx else 'safeload'} --help"
    return ""


def _lower(text: str) -> str:
    """`text` without its first capital, unless that is a NAME."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
