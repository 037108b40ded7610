"""One event for each verification and each load (docs/logging.md)."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload.errors import SafeloadError
from safeload.keys import KeyTerms, keygen, trust_add, trust_revoke, trust_sign

KEYS = {"decision", "file", "container_id", "keyids", "reason", "error", "violation"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("team", "other"):
        keygen(name)
    safeload.dump([1], "m.safeload", signer="team.key")
    caplog.set_level(logging.INFO, "safeload")
    return tmp_path


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [record.safeload for record in caplog.records if hasattr(record, "safeload")]
    assert len(found) == len(caplog.records), "an event without its dict"
    assert all(set(event) == KEYS for event in found)
    caplog.clear()
    return found


def keyid() -> str:
    return safeload.Signer.from_file("team.key").keyid


def test_each_success_is_one_event(caplog: pytest.LogCaptureFixture) -> None:
    with safeload.verify("m.safeload", trust="team.pub") as artifact:
        (event,) = events(caplog)
        identifier = artifact.manifest.prelude.container_id
        assert event == {**dict.fromkeys(KEYS, ""), "decision": "verified", "file": "m.safeload",
                         "container_id": identifier, "keyids": [keyid()]}  # fmt: skip
        artifact.load()
        assert [event["decision"] for event in events(caplog)] == ["loaded"]
    safeload.load("m.safeload", trust="team.pub")
    assert [event["decision"] for event in events(caplog)] == ["loaded"]
    safeload.unpack("m.safeload", "out", trust="team.pub")
    assert [event["decision"] for event in events(caplog)] == ["verified"]


def flip(at: int) -> None:
    data = bytearray(Path("m.safeload").read_bytes())
    data[at] ^= 1
    Path("m.safeload").write_bytes(data)


@pytest.mark.parametrize("verb", ["verify", "load"])
@pytest.mark.parametrize(
    ("at", "error", "claims"),
    [(0, "NotAnArtifactError", False), (-1, "BadSignatureError", True), (4100, "DigestMismatchError", True)],
)
def test_each_refusal_is_one_event_that_says_why(
    verb: str, at: int, error: str, claims: bool, caplog: pytest.LogCaptureFixture
) -> None:
    flip(at)
    with pytest.raises(SafeloadError) as caught:
        getattr(safeload, verb)("m.safeload", trust="team.pub")
    (event,) = events(caplog)
    assert (event["decision"], event["error"], event["reason"]) == ("refused", error, caught.value.message)
    assert event["violation"]
    assert (event["keyids"], len(event["container_id"])) == (([keyid()], 32) if claims else ([], 0))


def test_a_key_that_does_not_count_is_one_event(caplog: pytest.LogCaptureFixture) -> None:
    trust_add("team.pub", "keys")
    trust_revoke("team", "keys", reason="lost")
    with pytest.raises(SafeloadError):
        safeload.load("m.safeload", trust="keys")
    (event,) = events(caplog)
    assert (event["error"], event["violation"]) == ("RevokedKeyError", "key-revoked")
    assert "lost" in event["reason"]


def test_what_a_policy_refuses_is_one_event(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(safeload.PolicyWarning):
        safeload.dump([Path("x")], "p.safeload", signer="team.key")
    with pytest.raises(SafeloadError):
        safeload.load("p.safeload", trust="team.pub")
    (event,) = events(caplog)
    assert (event["decision"], event["error"]) == ("refused", "DisallowedGlobalError")


def test_what_a_file_says_cannot_write_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    name = "m\n2026 INFO verified.safeload"
    Path(name).write_bytes(Path("m.safeload").read_bytes())
    safeload.load(name, trust="team.pub")
    assert "\n" not in caplog.text.rstrip("\n")
    (event,) = events(caplog)
    assert "\n" not in event["file"]


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[1] / "docs" / "logging.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    Path("churn.safeload").write_bytes(Path("m.safeload").read_bytes())
    logger = logging.getLogger("safeload")
    before = list(logger.handlers)
    try:
        exec(compile(code, "logging.md", "exec"), {})  # noqa: S102  the page's own code
    finally:
        logger.handlers = before
    assert '"decision": "loaded"' in capsys.readouterr().out


def test_a_store_that_its_root_did_not_sign_is_an_event(caplog: pytest.LogCaptureFixture) -> None:
    """The alarm that an operator wants most."""
    trust_add("team.pub", "keys", KeyTerms(owner="Team"))
    trust_sign("keys", safeload.Signer.from_file("other.key"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFELOAD_TRUST_ROOT", "team.pub")
        with pytest.raises(SafeloadError):
            safeload.load("m.safeload", trust="keys")
    (event,) = events(caplog)
    assert (event["decision"], event["error"]) == ("refused", "UntrustedSignerError")
    assert "trust.toml" in event["reason"]


def test_a_refusal_of_who_opened_the_file_first_is_an_event(caplog: pytest.LogCaptureFixture) -> None:
    with safeload.inspect("m.safeload") as unverified, pytest.raises(SafeloadError):
        unverified.verify(safeload.TrustStore.from_file("other.pub"))
    (event,) = events(caplog)
    assert (event["error"], event["keyids"]) == ("UntrustedSignerError", [keyid()])


def test_a_file_that_was_opened_first_and_verified_to_its_end_is_an_event(caplog: pytest.LogCaptureFixture) -> None:
    with safeload.inspect("m.safeload") as unverified:
        artifact = unverified.verify(safeload.TrustStore.from_file("team.pub"))
        assert events(caplog) == []  # the payload was not looked at
        with artifact:
            artifact.check_payload()
    assert [event["decision"] for event in events(caplog)] == ["verified"]
