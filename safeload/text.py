"""Text out of files, made fit to be shown: in a terminal, in a log line, in an exception; and figures in words."""

from __future__ import annotations

import unicodedata

__all__ = ["duration", "plural", "printable", "size"]

# Control, format (bidirectional and zero-width), surrogate, private use, unassigned, line and paragraph separators:
# with them a file name can rewrite the line that accuses it (terminal escapes, RIGHT-TO-LEFT OVERRIDE).
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, limit: int = 200) -> str:
    """`text` with every character escaped that does not show as itself, cut to `limit` characters."""
    cut = text[:limit]
    # `::` and `##` at the beginning of what they take for a line are commands to systems that run pipelines.
    plain = cut.isascii() and cut.isprintable() and "\\" not in cut  # as a rule, and each name of a file comes here
    shown = (cut if plain else "".join(map(_escape, cut))).replace("::", ":\\x3a").replace("##", "#\\x23")
    return shown if len(text) <= limit else shown + "..."


def _escape(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def plural(count: int, noun: str) -> str:
    """``1 signature``, ``2 signatures``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """``812 bytes``, ``8.3 kB``, ``11.8 MB``."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    amount, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.95:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """``0.46 ms``, ``138 ms``, ``2.1 s``."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.2g} ms" if seconds < 0.0995 else f"{seconds * 1000:.0f} ms"
