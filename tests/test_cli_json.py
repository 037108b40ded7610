"""The documents of ``--json``: their keys are documented in docs/cli.md and stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import safeload
from test_cli_desk import lay, run

HEX_64 = 64
ERROR = {"type", "message", "hint"}


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, monkeypatch)


def document(capsys: pytest.CaptureFixture[str], command: str, code: int) -> dict[str, Any]:
    outcome = run(capsys, f"{command} --json")
    assert outcome.code == code
    assert outcome.out.isascii()
    found: dict[str, Any] = json.loads(outcome.out)
    assert ("error" in found) == (code != 0), "error stands there exactly where the exit code is not 0"
    if code:
        assert set(found["error"]) == ERROR
        assert f"safeload: error: {found['error']['message']}\n" in outcome.err
    return found


def test_trust_list(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "trust list --store keys", 0)
    assert set(found) == {"store", "keys"}
    (key,) = found["keys"]
    plain = {"name": "team", "algorithm": "ed25519", "state": "valid", "owner": "", "revoked_because": ""}
    nothing = dict.fromkeys(("valid_from", "valid_until", "revoked_at", "models"))
    assert {**key, "keyid": ""} == {**plain, **nothing, "keyid": ""}
    assert len(key["keyid"]) == HEX_64


def test_inspect(capsys: pytest.CaptureFixture[str]) -> None:
    safeload.pack("m.joblib", "n.safeload", "zstd", signer="team.key", metadata={"owner": "me"})
    found = document(capsys, "inspect n.safeload", 0)
    assert set(found) == {
        "file", "verified", "size", "format", "container_id", "created", "payload", "signatures", "members",
        "environment", "globals", "arrays", "metadata", "model", "encryption", "crit",
    }  # fmt: skip
    assert found["verified"] is False
    assert found["size"] == Path("n.safeload").stat().st_size
    assert found["format"] == {"major": 1, "minor": 0, "flags": 0}
    assert set(found["payload"]) == {"size", "digest", "leaf", "root"}
    assert [set(each) for each in found["signatures"]] == [{"keyid", "algorithm"}]
    (member,) = found["members"]
    assert set(member) == {"name", "kind", "size", "stored", "encoding"}
    assert (member["name"], member["encoding"]) == ("m.joblib", "zstd")
    assert set(found["environment"]) == {"python", "platform", "distributions"}
    assert found["arrays"] == {"count": 0, "bytes": 0, "largest": None}
    assert found["metadata"] == {"owner": "me"}


def test_inspect_of_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    safeload.dump({"a": np.zeros((3, 4)), "b": np.zeros(2, dtype="i4")}, "a.safeload", signer="team.key")
    found = document(capsys, "inspect a.safeload", 0)
    assert found["arrays"] == {"count": 2, "bytes": 104, "largest": {"dtype": "<f8", "shape": [3, 4], "bytes": 96}}
    assert "2 arrays, 104 bytes; the largest <f8[3, 4], 96 bytes" in run(capsys, "inspect a.safeload").out


def test_verify(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "verify m.safeload --trust keys", 0)
    assert set(found) == {"files"}
    (file,) = found["files"]
    assert set(file) == {"file", "verified", "signers", "container_id", "created", "members"}
    assert file["verified"] is True
    assert [set(each) for each in file["signers"]] == [{"name", "algorithm", "keyid"}]


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "bench m.safeload --trust keys --repeats 2", 0)
    assert set(found) == {"file", "model", "codec", "signers", "repeats", "measure", "score", "rows", "notes"}
    assert (found["file"], found["model"], found["signers"], found["repeats"]) == ("m.safeload", "dict", ["team"], 2)
    assert [row["name"] for row in found["rows"]] == ["safeload", "joblib", "pickle"]
    for row in found["rows"]:
        assert set(row) == {"name", "size", "load", "predict", "score", "same", "reason"}
        assert 0 < row["load"]["least"] <= row["load"]["median"] <= row["load"]["most"]
    assert found["rows"][0]["size"] == Path("m.safeload").stat().st_size


def test_verify_of_several_reports_each_and_the_error_that_decides(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "verify nope m.safeload bad.safeload --trust keys", 1)
    assert [file["verified"] for file in found["files"]] == [False, True, False]
    assert [file.get("error", {}).get("type") for file in found["files"]] == [
        "FileNotFoundError",
        None,
        "DigestMismatchError",
    ]
    assert found["error"] == found["files"][2]["error"]


@pytest.mark.parametrize(
    ("command", "code", "kind"),
    [
        ("inspect m.joblib", 2, "NotAnArtifactError"),
        ("inspect nope", 2, "FileNotFoundError"),
        ("verify stranger.safeload --trust keys", 1, "UntrustedSignerError"),
        ("verify m.safeload", 2, "NoTrustError"),
        ("verify m.safeload --trust nope", 2, "KeyFileError"),
        ("verify", 2, "MissingParameter"),
        ("bench m.joblib --trust keys", 2, "NotAnArtifactError"),
        ("bench bad.safeload --trust keys", 1, "DigestMismatchError"),
        ("bench m.safeload --trust keys --target a", 2, "UsageError"),
        ("trust list --store nope", 2, "KeyFileError"),
        ("trust list", 2, "MissingParameter"),
    ],
)
def test_an_error_is_a_document_too(command: str, code: int, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, command, code)["error"]["type"] == kind
