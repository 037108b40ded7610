"""Sign a machine-learning model into one file, verify it, and load it without running what is in it.

::

    safeload.dump(model, "churn.safeload", signer="team.key")
    model = safeload.load("churn.safeload", trust="team.pub")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from safeload._version import __version__

if TYPE_CHECKING:
    from safeload import errors
    from safeload._plain import convert, load_untrusted, needs
    from safeload._reading import inspect, load, unpack, verify
    from safeload._scan import scan
    from safeload._writing import dump, export_oms, pack, rewrap, sign
    from safeload.artifact import Artifact, UnverifiedArtifact
    from safeload.audit import FileReport, Report, Unread
    from safeload.bench import Evaluation, evaluate
    from safeload.container.manifest import Manifest
    from safeload.engine.catalogue import Grant, grants
    from safeload.errors import SafeloadError
    from safeload.keys import Identity, IgnoredKeyWarning, Recipient, Signer, TrustStore, keygen
    from safeload.limits import Limits, ScanLimits
    from safeload.policy import Policy
    from safeload.policy.findings import Finding
    from safeload.policy.needs import Needs
    from safeload.policy.rules import RULES, Rule, Severity
    from safeload.store import ModelStore
    from safeload.warn import EnvironmentWarning, PolicyWarning, UnsafeWarning

__all__ = [
    "RULES",
    "Artifact",
    "EnvironmentWarning",
    "Evaluation",
    "FileReport",
    "Finding",
    "Grant",
    "Identity",
    "IgnoredKeyWarning",
    "Limits",
    "Manifest",
    "ModelStore",
    "Needs",
    "Policy",
    "PolicyWarning",
    "Recipient",
    "Report",
    "Rule",
    "SafeloadError",
    "ScanLimits",
    "Severity",
    "Signer",
    "TrustStore",
    "Unread",
    "UnsafeWarning",
    "UnverifiedArtifact",
    "__version__",
    "convert",
    "dump",
    "errors",
    "evaluate",
    "export_oms",
    "grants",
    "inspect",
    "keygen",
    "load",
    "load_untrusted",
    "needs",
    "pack",
    "rewrap",
    "scan",
    "sign",
    "unpack",
    "verify",
]

# Where each is. It is imported when it is asked for: who verifies a file needs no engine, and who loads one no report.
_PLACES = {
    "_plain": ("convert", "load_untrusted", "needs"),
    "_reading": ("inspect", "load", "unpack", "verify"),
    "_scan": ("scan",),
    "_writing": ("dump", "export_oms", "pack", "rewrap", "sign"),
    "artifact": ("Artifact", "UnverifiedArtifact"),
    "audit": ("FileReport", "Report", "Unread"),
    "bench": ("Evaluation", "evaluate"),
    "container.manifest": ("Manifest",),
    "engine.catalogue": ("Grant", "grants"),
    "errors": ("SafeloadError",),
    "keys": ("Identity", "IgnoredKeyWarning", "Recipient", "Signer", "TrustStore", "keygen"),
    "limits": ("Limits", "ScanLimits"),
    "policy": ("Policy",),
    "policy.findings": ("Finding",),
    "policy.needs": ("Needs",),
    "policy.rules": ("RULES", "Rule", "Severity"),
    "store": ("ModelStore",),
    "warn": ("EnvironmentWarning", "PolicyWarning", "UnsafeWarning"),
}
_WHERE = {name: f"{__name__}.{module}" for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module(f"{__name__}.errors")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_WHERE[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
