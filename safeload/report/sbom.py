"""CycloneDX 1.6, a bill of materials: each file a machine-learning-model, its findings vulnerabilities of it.

Source: https://cyclonedx.org/capabilities/mlbom/
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeload._version import __version__
from safeload.errors import MissingExtraError
from safeload.policy.rules import RULES
from safeload.report.documents import verdict
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.audit.report import FileReport, Report

__all__ = ["render_sbom"]

_CHUNK = 4 << 20


def render_sbom(report: Report) -> str:
    """Raises MissingExtraError."""
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise MissingExtraError(
            "CycloneDX is written with cyclonedx-python-lib", extra="sbom", hint="pip install 'safeload[sbom]'"
        ) from None
    bom = Bom()
    bom.metadata.tools.components.add(_tool())
    for number, file in enumerate(report.files):
        component = _component(report, file, number)
        bom.components.add(component)
        for vulnerability in _vulnerabilities(file, component):
            bom.vulnerabilities.add(vulnerability)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _tool() -> Any:
    from cyclonedx.model.component import Component, ComponentType

    return Component(name="safeload", version=__version__, type=ComponentType.APPLICATION)


def _component(report: Report, file: FileReport, number: int) -> Any:
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.component import Component, ComponentType

    said = {"kind": file.kind, "size": str(file.size), "verdict": verdict(report, file)}
    said |= {f"unread-{index}": unread.text for index, unread in enumerate(file.unread[:10])}
    digest = _sha256(file.file)
    return Component(
        name=printable(os.path.basename(file.file), 1_000),  # noqa: PTH119  # of a URL, too
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"file-{number}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
        properties=[Property(name=f"safeload:{name}", value=value) for name, value in said.items()]
        + [Property(name="safeload:path", value=printable(file.file, 4_096))],
    )


def _vulnerabilities(file: FileReport, component: Any) -> list[Any]:
    from cyclonedx.model.impact_analysis import ImpactAnalysisAffectedStatus
    from cyclonedx.model.vulnerability import (
        BomTarget,
        BomTargetVersionRange,
        Vulnerability,
        VulnerabilityRating,
        VulnerabilitySeverity,
    )

    affected = BomTargetVersionRange(version="*", status=ImpactAnalysisAffectedStatus.AFFECTED)
    return [
        Vulnerability(
            id=finding.rule,
            description=f"{RULES[finding.rule].title}: {finding.text}",
            recommendation=finding.do,
            ratings=[VulnerabilityRating(severity=VulnerabilitySeverity(finding.severity.word))],
            affects=[BomTarget(ref=component.bom_ref.value, versions=[affected])],
        )
        for finding in file.findings
    ]


def _sha256(path: str) -> str:
    """Empty for what cannot be read, and for what is behind a URL."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()
