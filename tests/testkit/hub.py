"""A server that answers huggingface_hub's client as far as listing and reading go.

One repository, ``org/model``, whose files are those of a folder.
"""

from __future__ import annotations

import http.server
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0" * 40


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path

    def log_message(self, *_: Any) -> None:
        """Nothing is of interest."""

    def _answer(self, data: bytes, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), "X-Repo-Commit": COMMIT, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _document(self, value: Any) -> None:
        self._answer(json.dumps(value).encode(), Content_Type="application/json")

    def _entry(self, path: Path) -> dict[str, Any]:
        kind, size = ("directory", 0) if path.is_dir() else ("file", path.stat().st_size)
        return {"type": kind, "path": path.relative_to(self.root).as_posix(), "oid": COMMIT, "size": size}

    def do_GET(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if re.fullmatch(r"/api/models/org/model(/revision/[^/]+)?", path):
            self._document({"id": "org/model", "sha": COMMIT, "private": False, "tags": [], "siblings": []})
        elif found := re.fullmatch(r"/api/models/org/model/tree/[^/]+(?:/(.*))?", path):
            folder = self.root / (found[1] or "")
            if folder.is_dir():
                inner = folder.rglob("*") if "recursive=true" in self.path.lower() else folder.iterdir()
                self._document([self._entry(each) for each in sorted(inner)])
            else:
                self._answer(b"{}", 404, X_Error_Code="EntryNotFound")
        elif found := re.fullmatch(r"/org/model/resolve/[^/]+/(.*)", path):
            self._file(self.root / found[1])
        else:
            self._answer(b"{}", 404, X_Error_Code="RepoNotFound")

    do_HEAD = do_GET  # noqa: N815  http.server names them so

    def _file(self, file: Path) -> None:
        if not file.is_file():
            self._answer(b"", 404, X_Error_Code="EntryNotFound")
            return
        data = file.read_bytes()
        if span := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            first, last = int(span[1]), min(int(span[2] or len(data) - 1), len(data) - 1)
            self._answer(data[first : last + 1], 206, Content_Range=f"bytes {first}-{last}/{len(data)}")
        else:
            self._answer(data, ETag=f'"{COMMIT}"')
