"""A trust store that is itself signed (docs/trust.md)."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import safeload
from safeload import Signer, TrustStore
from safeload.cli import main
from safeload.container.envelope import PAYLOAD_TYPE
from safeload.errors import (
    BadSignatureError,
    KeyFileError,
    KeyLifetimeError,
    RevokedKeyError,
    ThresholdError,
    UntrustedSignerError,
)
from safeload.keys import KeyTerms, keygen, trust_add, trust_revoke, trust_role, trust_sign


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("root", "second", "ada", "eve"):
        keygen(name)
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    trust_sign("keys", Signer.from_file("root.key"))
    safeload.dump([1], "m.safeload", signer="ada.key")
    return tmp_path


def opened(root: str = "root.pub") -> list[str]:
    return [key.name for key in TrustStore.open("keys", root=root).keys]


def test_a_store_that_the_root_signed_is_used() -> None:
    assert opened() == ["ada"]


def test_a_store_that_somebody_else_signed_is_not() -> None:
    with pytest.raises(UntrustedSignerError, match=r"keys/trust\.toml is signed by"):
        opened("eve.pub")


def test_a_change_that_nobody_signed_is_refused() -> None:
    trust_add("eve.pub", "keys")
    with pytest.raises(KeyFileError, match=r"keys/trust\.toml was changed since it was signed"):
        opened()
    assert [key.name for key in TrustStore.open("keys").keys] == ["ada", "eve"]  # who asks for no root has none
    trust_sign("keys", Signer.from_file("root.key"))
    assert opened() == ["ada", "eve"]


def test_a_key_that_was_dropped_or_exchanged_in_the_folder_does_not_count() -> None:
    shutil.copy("eve.pub", "keys/eve.pub")
    shutil.copy("eve.pub", "keys/ada.pub")
    with pytest.warns(safeload.IgnoredKeyWarning), pytest.raises(KeyFileError, match="holds no key"):
        opened()


def test_a_store_without_a_ledger_or_a_signature_is_refused_where_a_root_is_asked_for() -> None:
    Path("keys/trust.sig").unlink()
    with pytest.raises(KeyFileError, match=r"cannot read keys/trust\.sig"):
        opened()
    Path("keys/trust.toml").unlink()
    with pytest.raises(KeyFileError, match=r"keys has no trust\.toml"):
        opened()


def test_a_root_may_be_a_store_with_a_threshold_and_revocations() -> None:
    for name in ("root", "second"):
        trust_add(f"{name}.pub", "roots", KeyTerms(owner=name))
    trust_role("roots", ["root", "second"], 2, "roots")
    with pytest.raises(ThresholdError):
        opened("roots")
    trust_sign("keys", Signer.from_file("second.key"))
    assert opened("roots") == ["ada"]
    trust_role("roots", ["root", "second"], 1, "roots")
    trust_revoke("root", "roots")
    assert opened("roots") == ["ada"]
    trust_revoke("second", "roots")
    with pytest.raises(RevokedKeyError):
        opened("roots")


def test_signing_again_is_no_second_signature() -> None:
    trust_sign("keys", Signer.from_file("root.key"))
    assert len(json.loads(Path("keys/trust.sig").read_text())["signatures"]) == 1


def test_a_signature_on_a_model_is_none_on_a_store() -> None:
    document = json.loads(Path("keys/trust.sig").read_text())
    Path("keys/trust.sig").write_text(json.dumps({**document, "payloadType": PAYLOAD_TYPE}))
    with pytest.raises(KeyFileError, match="another type"):
        opened()
    forged = safeload.Signer.from_file("root.key").sign(Path("keys/trust.toml").read_bytes())
    import base64

    document["signatures"][0]["sig"] = base64.b64encode(forged).decode()
    Path("keys/trust.sig").write_text(json.dumps(document))
    with pytest.raises(BadSignatureError):
        opened()


def test_the_environment_can_ask_for_a_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELOAD_TRUST_ROOT", "eve.pub")
    with pytest.raises(UntrustedSignerError):
        safeload.load("m.safeload", trust="keys")
    monkeypatch.setenv("SAFELOAD_TRUST_ROOT", "root.pub")
    assert safeload.load("m.safeload", trust="keys") == [1]


@pytest.mark.parametrize(("root", "code"), [("root.pub", 0), ("eve.pub", 1)])
def test_the_command_line_can_ask_for_a_root(root: str, code: int) -> None:
    assert main(["verify", "m.safeload", "--trust", "keys", "--trust-root", root]) == code


def test_the_command_line_signs_a_store() -> None:
    trust_add("eve.pub", "keys")
    assert main(["trust", "sign", "--store", "keys", "--key", "root.key"]) == 0
    assert opened() == ["ada", "eve"]


def test_a_root_counts_at_the_time_that_is_given() -> None:
    trust_add("root.pub", "roots", KeyTerms(owner="Root", valid_until=datetime(2025, 1, 1, tzinfo=UTC)))
    assert TrustStore.open("keys", root="roots", now=datetime(2024, 12, 31, tzinfo=UTC)).keys
    with pytest.raises(KeyLifetimeError):
        TrustStore.open("keys", root="roots", now=datetime(2025, 1, 1, tzinfo=UTC))
