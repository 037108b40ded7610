"""Signatures beside an artifact: for files that are too large to copy, or that nobody may write."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import safeload
from safeload.cli import main
from safeload.container.dsse import Envelope
from safeload.container.envelope import PAYLOAD_TYPE, pre_authentication_encoding
from safeload.errors import (
    AlreadySignedError,
    BadSignatureError,
    DetachedSignatureError,
    DigestMismatchError,
    FormatError,
    KeyFileError,
    ThresholdError,
    UntrustedSignerError,
)
from safeload.keys import keygen, trust_add, trust_role


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("ada", "bob", "eve"):
        keygen(name)
        trust_add(f"{name}.pub", "keys")
    safeload.dump([1, 2], "m.safeload", signer="ada.key")
    return tmp_path


def names(signature: str | None = "m.sig", trust: str = "keys") -> list[str]:
    with safeload.verify("m.safeload", trust=trust, signature=signature) as artifact:
        return [key.name for key in artifact.signers]


def test_a_signature_beside_the_file_counts_where_it_is_named() -> None:
    before = Path("m.safeload").read_bytes()
    safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    assert Path("m.safeload").read_bytes() == before
    assert names() == ["ada", "bob"]
    assert names(None) == ["ada"]  # and is never looked for
    assert names(trust="bob.pub") == ["bob"]
    assert safeload.load("m.safeload", trust="bob.pub", signature="m.sig") == [1, 2]
    with pytest.raises(UntrustedSignerError):
        safeload.load("m.safeload", trust="bob.pub")


def test_it_fills_a_threshold() -> None:
    trust_role("release", ["ada", "bob", "eve"], 3, "keys")
    safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    with pytest.raises(ThresholdError, match="2 of the 3"):
        names()
    safeload.sign("m.safeload", signer="eve.key", detached="m.sig")
    assert names() == ["ada", "bob", "eve"]


def test_signatures_from_two_places_count_together(capsys: pytest.CaptureFixture[str]) -> None:
    trust_role("release", ["ada", "bob", "eve"], 3, "keys")
    safeload.sign("m.safeload", signer="bob.key", detached="here.sig")
    safeload.sign("m.safeload", signer="eve.key", detached="there.sig")
    with safeload.verify("m.safeload", trust="keys", signature=["here.sig", Path("there.sig")]) as artifact:
        assert [key.name for key in artifact.signers] == ["ada", "bob", "eve"]
    with pytest.raises(FormatError, match="or in two files"):
        safeload.verify("m.safeload", trust="keys", signature=["here.sig", "here.sig"])
    both = ["--signature", "here.sig", "--signature", "there.sig"]
    assert main(["verify", "m.safeload", "--trust", "keys", *both]) == 0
    assert "signed by ada" in capsys.readouterr().out
    assert main(["verify", "m.safeload", "--trust", "keys", *both[:2]]) == 1


def test_a_file_that_nobody_may_write_can_be_signed() -> None:
    Path("m.safeload").chmod(0o444)
    safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    assert names() == ["ada", "bob"]


def test_one_key_does_not_sign_twice_in_either_place() -> None:
    safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    for key in ("ada.key", "bob.key"):
        with pytest.raises(AlreadySignedError):
            safeload.sign("m.safeload", signer=key, detached="m.sig")
    safeload.sign("m.safeload", signer="bob.key")
    with pytest.raises(FormatError, match="a key signed inside of the file, and beside it"):
        names()


def test_what_was_changed_is_not_signed() -> None:
    data = bytearray(Path("m.safeload").read_bytes())
    data[4100] ^= 1
    Path("m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    assert not Path("m.sig").exists()


def test_the_signatures_of_another_file_are_named_as_that() -> None:
    safeload.dump([3], "other.safeload", signer="ada.key")
    safeload.sign("other.safeload", signer="bob.key", detached="other.sig")
    with pytest.raises(DetachedSignatureError, match=r"other\.sig holds the signatures of another file"):
        names("other.sig")
    with pytest.raises(DetachedSignatureError):
        safeload.sign("m.safeload", signer="bob.key", detached="other.sig")


def test_two_who_sign_at_once_both_get_their_signature_in() -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda key: safeload.sign("m.safeload", signer=key, detached="m.sig"), ["bob.key", "eve.key"]))
    assert sorted(names()) == ["ada", "bob", "eve"]


def test_it_is_an_envelope_of_dsse() -> None:
    safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    document = json.loads(Path("m.sig").read_text())
    assert set(document) == {"payloadType", "payload", "signatures"}
    with safeload.inspect("m.safeload") as unverified:
        assert base64.b64decode(document["payload"]) == unverified.manifest_bytes


def changed(**values: object) -> None:
    document = json.loads(Path("m.sig").read_text())
    Path("m.sig").write_text(json.dumps({**document, **values}))


def test_an_envelope_is_understood_to_its_end_or_refused() -> None:
    safeload.sign("m.safeload", signer="bob.key", detached="m.sig")
    good = Path("m.sig").read_text()
    (signature,) = json.loads(good)["signatures"]
    payload = json.loads(good)["payload"]
    flipped = base64.b64encode(
        bytes([base64.b64decode(signature["sig"])[0] ^ 1]) + base64.b64decode(signature["sig"])[1:]
    )
    for values, error in (
        ({"payloadType": "text/plain"}, FormatError),
        ({"payload": payload.rstrip("=") + "="}, FormatError),
        ({"payload": ""}, FormatError),
        ({"signatures": []}, FormatError),
        ({"signatures": [signature, signature]}, FormatError),
        ({"signatures": [{**signature, "keyid": signature["keyid"].upper()}]}, FormatError),
        ({"signatures": [{**signature, "sig": flipped.decode()}]}, BadSignatureError),
        ({"signatures": [{**signature, "x": 1}]}, FormatError),
        ({"extra": 1}, FormatError),
        ({"signatures": [{**signature, "sig": base64.b64encode(bytes(32)).decode()}]}, BadSignatureError),
    ):
        Path("m.sig").write_text(good)
        changed(**values)
        if Path("m.sig").read_text() == good:
            continue
        with pytest.raises(error):
            names()


def test_a_signature_that_is_not_there_is_an_error_and_not_unsigned() -> None:
    with pytest.raises(KeyFileError, match=r"cannot read m\.sig"):
        names()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_or_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        Envelope.parse(data, PAYLOAD_TYPE)


def test_the_type_of_what_is_signed_is_signed() -> None:
    """A signature on a trust store is none on a model."""
    assert pre_authentication_encoding(b"x") != pre_authentication_encoding(b"x", "application/other")
