"""JSON that can be read in one way only (docs/format.md, section 5)."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from safeload.errors import FormatError
from safeload.text import printable

__all__ = ["DEPTH_MAX", "parse_object", "to_bytes"]

DEPTH_MAX = 32
# An open string reaches to the end: else each quote behind it would be tried as a beginning.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INT_DIGITS = 20


def parse_object(data: bytes) -> dict[str, Any]:
    """Strict parse of one JSON object. Raises FormatError with a slug of section 5."""
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise FormatError("not-utf8", f"the manifest is not UTF-8 at its byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise FormatError("not-utf8", "the manifest begins with a byte order mark")
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise FormatError("not-json", f"the manifest is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(value, dict):
        raise FormatError("not-json", f"the manifest is not a JSON object but {type(value).__name__}")
    _check_surrogates(text, value)
    return value


def to_bytes(value: dict[str, Any]) -> bytes:
    """UTF-8 JSON without spaces. Raises ValueError for NaN and infinity, TypeError for what JSON lacks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "strict")


def _check_depth(text: str) -> None:
    # Before the parser sees it, whose recursion the file would otherwise steer.
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > DEPTH_MAX:
            raise FormatError("too-deep", f"the manifest nests more than {DEPTH_MAX} objects and arrays")


def _check_surrogates(text: str, value: dict[str, Any]) -> None:
    # Only an escape can bring half a pair into decoded text; most manifests have none to look for.
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise FormatError("surrogate", "the manifest holds half of a surrogate pair")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise FormatError("duplicate-key", f'the manifest names "{printable(twice)}" twice in one object')
    return result


def _integer(digits: str) -> int:
    # Bounded before conversion: decimal to binary is quadratic.
    if len(digits) > _INT_DIGITS or not -(1 << 63) <= (value := int(digits)) < 1 << 64:
        raise FormatError("number", f"the manifest holds the integer {digits[:24]}, beyond 64 bits")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise FormatError("number", f"the manifest holds the number {digits[:24]}, beyond a double")
    return value


def _constant(name: str) -> NoReturn:
    raise FormatError("number", f"the manifest holds {name}, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant)
