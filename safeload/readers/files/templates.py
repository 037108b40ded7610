"""Chat templates: Jinja, rendered where the model is used, in a sandbox or in none.

Source: https://jinja.palletsprojects.com/en/stable/templates/ (delimiters).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.files.look import Look

__all__ = ["is_template", "look_into_template"]

_AROUND = 40
# The ways from a value to its class, and from there to a module. They count wherever they stand: which bytes Jinja
# takes for code depends on its strings, comments and raw blocks, and to follow these is to be led astray by them.
_REACHES = re.compile(
    r"__(?:class|bases?|mro|subclasses|globals|builtins|import|getattr\w*|dict|code|func|loader|spec|self|reduce\w*)__"
    r"|\|\s*attr\b|\battr\s*\(|popen|\\x5f|\\u005f|\bcycler\b|\blipsum\b"
)
# What prose says too.
_IN_CODE = re.compile(r"__\w+__|\bimport\b|\bos\.|subprocess")
# A text of Jinja's: it begins like one, or has a statement.
_JINJA = re.compile(
    rb"\A\s*\{[{%#]|\{%[-+]?\s*(?:for|if|set|macro|import|from|include|extends|raw|block|call|filter|generation)\b"
)
_CLOSES = {"{%": "%}", "{{": "}}"}


def is_template(data: bytes | memoryview) -> bool:
    return bool(_JINJA.search(data))


def look_into_template(look: Look, name: str, text: str, offset: int) -> None:
    found = _REACHES.search(text) or next(
        (match for start, end in _code(text) if (match := _IN_CODE.search(text, start, end))), None
    )
    if found:
        shown = printable(text[max(0, found.start() - _AROUND) : found.end() + _AROUND], 120)
        look.once("template", offset, f'the template {printable(name, 80)} says "{shown}"')


def _code(text: str) -> Iterator[tuple[int, int]]:
    """What Jinja evaluates. A block that nobody closes reaches to the end."""
    at = 0
    for opens in re.finditer(r"\{[{%]", text):
        if opens.start() < at:
            continue
        end = text.find(_CLOSES[opens[0]], opens.end())
        at = len(text) if end < 0 else end
        yield opens.start(), at
