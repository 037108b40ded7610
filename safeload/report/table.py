"""Which formats there are for machines and for browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.report.machine import render_json, render_jsonl
from safeload.report.page import render_html
from safeload.report.sarif import render_sarif
from safeload.report.sbom import render_sbom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.audit.report import Report

__all__ = ["RENDERERS"]

RENDERERS: Mapping[str, Callable[[Report], str]] = {
    "json": render_json,
    "jsonl": render_jsonl,
    "sarif": render_sarif,
    "html": render_html,
    "cyclonedx": render_sbom,
}
