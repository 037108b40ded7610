"""What an attack on trust stores, revocation and keys found, kept as tests."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload import Identity, TrustStore, UnverifiedArtifact
from safeload.cli import main
from safeload.errors import (
    AlgorithmError,
    KeyFileError,
    OutOfScopeError,
    RevokedKeyError,
    ThresholdError,
    UntrustedSignerError,
)
from safeload.hazmat.chunks import new_stream
from safeload.keys import KeyTerms, Signer, keygen, trust_add, trust_check, trust_revoke, trust_role, trust_sign
from safeload.keys.filekeys import Secret, new_file_key
from safeload.keys.ledger import parse_ledger
from safeload.keys.recipients import audience_from

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
_END = "-----END PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("root", "ada"):
        keygen(name)
    return tmp_path


def hybrid_and_its_parts() -> None:
    """``both``, and as files of their own ``first`` and ``second``: the thief of the one has all three."""
    keygen("both", "ed25519+ml-dsa-65")
    for ending in (".key", ".pub"):
        blocks = Path("both" + ending).read_text().split("-----BEGIN")[1:]
        for name, block in zip(("first", "second"), blocks, strict=True):
            Path(name + ending).write_text("-----BEGIN" + block)
            Path(name + ending).chmod(0o600)


def signed(*names: str) -> str:
    safeload.dump([1], "m.safeload", signer=f"{names[0]}.key")
    for name in names[1:]:
        safeload.sign("m.safeload", signer=f"{name}.key")
    return "m.safeload"


def signers(file: str, now: datetime = NOON) -> list[str]:
    with UnverifiedArtifact(file) as unverified, unverified.verify(TrustStore.open("keys"), now=now) as artifact:
        return [key.name for key in artifact.signers]


def test_both_parts_of_a_hybrid_are_one_party_where_the_hybrid_is_in_the_store() -> None:
    hybrid_and_its_parts()
    for name in ("both", "first", "second", "ada"):
        trust_add(f"{name}.pub", "keys", KeyTerms(owner="x"))
    trust_role("release", ["first", "second", "ada"], 2, "keys")
    with pytest.raises(ThresholdError, match="1 of the 2"):
        signers(signed("first", "second"))
    assert signers(signed("first", "ada")) == ["first", "ada"]


@pytest.mark.parametrize(
    ("gone", "other"), [("both", "first"), ("both", "second"), ("first", "both"), ("second", "both")]
)
def test_a_revocation_takes_along_what_shares_a_part(gone: str, other: str) -> None:
    hybrid_and_its_parts()
    for name in ("both", "first", "second"):
        trust_add(f"{name}.pub", "keys", KeyTerms(owner="x"))
    trust_revoke(gone, "keys", at=NOON)
    file = signed(other)
    assert signers(file, NOON - timedelta(seconds=1)) == [other]
    with pytest.raises(RevokedKeyError, match=rf"{other} .* shares a part with {gone} .* revoked on 2026-06-01"):
        signers(file)
    assert any(other in text and "shares a part" in text for text in trust_check("keys", now=NOON))


def test_the_two_parts_of_a_hybrid_do_not_revoke_each_other() -> None:
    hybrid_and_its_parts()
    for name in ("both", "first", "second"):
        trust_add(f"{name}.pub", "keys", KeyTerms(owner="x"))
    trust_revoke("first", "keys", at=NOON)
    assert signers(signed("second")) == ["second"]


def test_a_later_revocation_does_not_give_a_thief_more_time() -> None:
    trust_add("ada.pub", "keys")
    trust_revoke("ada", "keys", at=NOON)
    assert trust_revoke("ada", "keys", reason="known now", at=NOON + timedelta(days=1)).terms.revoked_at == NOON
    earlier = NOON - timedelta(days=1)
    assert trust_revoke("ada", "keys", at=earlier).terms.revoked_at == earlier


def test_a_file_in_the_place_of_a_signed_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever delivers the store would deliver their own public key instead."""
    file = signed("ada")
    assert main(["verify", file, "--trust", "ada.pub", "--trust-root", "root.pub"]) == 2
    monkeypatch.setenv("SAFELOAD_TRUST_ROOT", "root.pub")
    with pytest.raises(KeyFileError, match=r"ada\.pub is no folder, and root\.pub was named as the root"):
        safeload.load(file, trust="ada.pub")


def test_an_empty_root_is_not_no_root(capsys: pytest.CaptureFixture[str]) -> None:
    """As where a script's variable was not set."""
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    assert main(["verify", signed("ada"), "--trust", "keys", "--trust-root", ""]) != 0
    assert "trusted" not in capsys.readouterr().out


def test_a_root_that_rewrap_was_given_counts_without_a_store(capsys: pytest.CaptureFixture[str]) -> None:
    safeload.dump([1], "m.safeload", signer="ada.key", passphrase="x")
    arguments = ["rewrap", "m.safeload", "--key", "ada.key", "--trust-root", "root.pub", "--recipient", "r.recipient"]
    keygen("r", "x25519")
    assert main(arguments) != 0
    assert "--trust" in capsys.readouterr().err


HEAD = b"version = 1\n"
DEAR = {
    "a number of more digits than Python reads": HEAD + b"x = " + b"9" * 5000 + b"\n",
    "a key of many dots": HEAD + b"a" + b".a" * 100_000 + b" = 1\n",
    "no UTF-8": HEAD + b"# \xff\n",
    "a date that UTC does not have": HEAD
    + b'[[key]]\nkeyid = "'
    + b"0" * 64
    + b'"\nvalid-from = 0001-01-01T00:00:00+23:59\n',
    "nested without end": HEAD + b"x = " + b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("case", DEAR)
def test_a_ledger_that_is_dear_or_odd_is_a_key_file_error(case: str) -> None:
    with pytest.raises(KeyFileError):
        parse_ledger(DEAR[case], "trust.toml")


def test_nothing_of_a_ledger_is_parsed_before_its_signature_holds() -> None:
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    trust_sign("keys", Signer.from_file("root.key"))
    Path("keys/trust.toml").write_bytes(b"\xff" + Path("keys/trust.toml").read_bytes())
    with pytest.raises(KeyFileError, match="was changed since it was signed"):
        TrustStore.open("keys", root="root.pub")


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_utc_does_not_have_is_a_wrong_argument(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    trust_add("ada.pub", "keys")
    assert main(["trust", "revoke", "ada", "--store", "keys", "--at", value]) == 2
    assert "is neither 2027-01-31" in capsys.readouterr().err


def test_a_revoked_key_that_is_added_again_is_said_to_be_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    trust_add("ada.pub", "keys")
    trust_revoke("ada", "keys")
    assert main(["trust", "add", "ada.pub", "--store", "keys"]) == 0
    assert "ada is revoked, and does not count" in capsys.readouterr().out


def test_a_dropped_key_that_is_added_is_a_new_one() -> None:
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    Path("keys/root.pub").write_bytes(Path("root.pub").read_bytes())
    assert trust_add("root.pub", "keys").added


@pytest.mark.parametrize("name", ["..", "a/../churn", "churn\n", "/churn", "a//b", "x" * 5000])
def test_a_name_that_none_could_write_matches_no_pattern(name: str) -> None:
    trust_add("ada.pub", "keys", KeyTerms(models=("*", "*/*", "*/*/*")))
    trust_add("root.pub", "keys")
    store = TrustStore.open("keys")
    signed_by = tuple(key for key in store.keys if key.name == "ada")
    assert store.authorise(signed_by, "a/b") == signed_by
    with pytest.raises(OutOfScopeError):
        store.authorise(signed_by, name)


def secrets() -> dict[str, Any]:
    keygen("reader", "x25519")
    head, key = new_stream(b"k" * 32, b"context")
    del head
    return {
        "a signer": Signer.from_file("ada.key"),
        "an identity": Identity.from_file("reader.identity"),
        "a passphrase": Secret(passphrase="x"),
        "a file's key": new_file_key(b"i" * 16)[1],
        "a stream's key": key,
        "an audience": audience_from(None, "x"),
        "an open file": safeload.verify(signed("ada"), trust="ada.pub"),
    }


def test_what_holds_a_secret_is_neither_pickled_nor_copied_nor_shown() -> None:
    for what, value in secrets().items():
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="not pickled"):
                pickle.dumps(value, protocol)
        with pytest.raises(TypeError, match="not pickled"):
            copy.deepcopy(value)
        assert "kkkk" not in repr(value), what


@pytest.mark.parametrize("recipients", [[], (), iter(())])
def test_an_empty_list_of_recipients_does_not_leave_a_file_unencrypted(recipients: Any) -> None:
    with pytest.raises(ValueError, match="nobody could read the file"):
        safeload.dump([1], "m.safeload", signer="ada.key", recipients=recipients)
    assert not Path("m.safeload").exists()


def test_an_error_about_a_passphrase_does_not_hold_it() -> None:
    with pytest.raises(ValueError, match="not valid Unicode") as caught:
        audience_from(None, "secret\ud800")
    assert caught.value.__context__ is None


def test_a_build_without_ml_dsa_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import mldsa

    keygen("late", "ml-dsa-65")
    file = signed("late")

    class Without:
        @staticmethod
        def from_seed_bytes(seed: bytes) -> None:
            raise UnsupportedAlgorithm("ML-DSA-65 is not supported")

        from_public_bytes = from_seed_bytes

    monkeypatch.setattr(mldsa, "MLDSA65PrivateKey", Without)
    monkeypatch.setattr(mldsa, "MLDSA65PublicKey", Without)
    with pytest.raises(AlgorithmError, match="built without ML-DSA"):
        keygen("later", "ml-dsa-65")
    with pytest.raises(AlgorithmError, match="built without ML-DSA"):
        safeload.load(file, trust="late.pub")


def test_who_signed_and_was_revoked_is_named_where_a_threshold_is_missed() -> None:
    keygen("bob")
    for name in ("ada", "bob"):
        trust_add(f"{name}.pub", "keys", KeyTerms(owner="x"))
    trust_role("release", ["ada", "bob"], 2, "keys")
    file = signed("ada", "bob")
    trust_revoke("bob", "keys", reason="laptop stolen", at=NOON)
    with pytest.raises(ThresholdError, match=r"1 of the 2 .* it is signed by ada .*; .* bob .* laptop stolen"):
        signers(file)


TERMS_THAT_CLOSE = {
    "revoked": (KeyTerms(owner="x"), r"was revoked \(laptop stolen\)"),
    "expired": (KeyTerms(owner="x", valid_until=NOON), "is not valid at this time"),
    "of another scope": (KeyTerms(owner="x", models=("fraud",)), "may not sign this model"),
}


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("case", TERMS_THAT_CLOSE)
def test_a_file_whose_encryptor_does_not_count_says_why_and_never_to_trust_it(case: str, stripped: bool) -> None:
    """Others signed, so it verifies; the hint was to trust the revoked key, also if its signature was cut off."""
    keygen("reader", "x25519")
    keygen("bob")
    terms, why = TERMS_THAT_CLOSE[case]
    trust_add("ada.pub", "keys", terms)
    trust_add("bob.pub", "keys", KeyTerms(owner="x"))
    manifest = safeload.dump([1], "m.safeload", signer="ada.key", recipients="reader.recipient")
    safeload.sign("m.safeload", signer="bob.key")
    if stripped:
        with safeload.inspect("m.safeload") as unverified:
            at, records = unverified.layout.records_off, unverified.records
        assert records[0].keyid == manifest.encryption.signer  # type: ignore[union-attr]
        data = Path("m.safeload").read_bytes()
        lone = data.index(bytes.fromhex(records[1].keyid), at) - data.index(bytes.fromhex(records[0].keyid), at)
        Path("m.safeload").write_bytes(data[:at] + data[at + lone :])
    if case == "revoked":
        trust_revoke("ada", "keys", reason="laptop stolen", at=NOON)
    with pytest.raises(UntrustedSignerError, match=why) as caught:
        safeload.load("m.safeload", trust="keys", identity="reader.identity")
    assert "trust it" not in caught.value.hint
    assert "saved anew" in caught.value.hint


def test_a_key_may_sign_many_models_whose_names_have_dots() -> None:
    """The bound on dots in a line refused what trust add itself wrote."""
    models = tuple(f"churn-v{major}.{minor}.0" for major in range(20) for minor in range(20))
    trust_add("ada.pub", "keys", KeyTerms(models=models))
    trust_role("release", ["ada"], 1, "keys", models)
    assert TrustStore.open("keys").terms[Signer.from_file("ada.key").keyid].models == models
