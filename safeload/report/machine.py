"""JSON, and JSON lines: one line for each file, and the last for all. ASCII, so that nothing in it can hide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from safeload.report.documents import file_document, header, report_document

if TYPE_CHECKING:
    from safeload.audit.report import Report

__all__ = ["render_json", "render_jsonl"]


def render_json(report: Report) -> str:
    return json.dumps(report_document(report), indent=2, ensure_ascii=True)


def render_jsonl(report: Report) -> str:
    documents = [*(file_document(report, file) for file in report.files), header(report)]
    return "\n".join(json.dumps(document, ensure_ascii=True) for document in documents)
