"""What people may rely on."""

from __future__ import annotations

import inspect
import subprocess
import sys

import joblib
import pytest

import safeload
from safeload import errors

NAMES = {
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
    "RULES",
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
}


def test_the_public_names_are_these() -> None:
    assert set(safeload.__all__) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_exists_and_says_what_it_is(name: str) -> None:
    value = getattr(safeload, name)
    if callable(value):
        assert inspect.getdoc(value), name


@pytest.mark.parametrize(("ours", "theirs"), [(safeload.dump, joblib.dump), (safeload.load, joblib.load)])
def test_dump_and_load_take_joblibs_arguments_in_joblibs_order(ours: object, theirs: object) -> None:
    own = list(inspect.signature(ours).parameters.values())  # type: ignore[arg-type]
    positional = [each.name for each in own if each.kind is each.POSITIONAL_OR_KEYWORD]
    joblibs = [name for name in inspect.signature(theirs).parameters if name != "ensure_native_byte_order"]  # type: ignore[arg-type]
    assert positional == joblibs


def test_there_is_one_exception_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), safeload.SafeloadError)


def test_every_exception_of_the_module_is_public() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert defined == set(errors.__all__)


def test_importing_safeload_imports_no_machine_learning_library() -> None:
    code = "import sys, safeload; print([m for m in ('numpy', 'joblib', 'sklearn', 'rich') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
