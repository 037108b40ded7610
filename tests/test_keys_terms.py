"""A trust store that says when, for which models and together with whom a key counts (docs/trust.md)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import safeload
from safeload import TrustStore
from safeload.artifact import Artifact, UnverifiedArtifact
from safeload.errors import (
    BadSignatureError,
    KeyFileError,
    KeyLifetimeError,
    OutOfScopeError,
    RevokedKeyError,
    ThresholdError,
    UntrustedSignerError,
)
from safeload.hazmat import kinds
from safeload.keys import (
    ED25519,
    HYBRID,
    IgnoredKeyWarning,
    Key,
    KeyTerms,
    TrustedKey,
    keygen,
    trust_add,
    trust_check,
    trust_list,
    trust_revoke,
    trust_role,
)
from safeload.keys.authority import parties
from safeload.keys.ledger import parse_ledger
from safeload.keys.patterns import is_pattern, matches

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("ada", "bob", "eve"):
        keygen(name)
    return tmp_path


def signed(*names: str, model: str | None = None) -> str:
    first, *others = names
    safeload.dump([1], "m.safeload", signer=f"{first}.key", name=model)
    for name in others:
        safeload.sign("m.safeload", signer=f"{name}.key")
    return "m.safeload"


def verified(file: str, now: datetime = NOON) -> Artifact:
    with UnverifiedArtifact(file) as unverified:
        return unverified.verify(TrustStore.open("keys"), now=now)


def signers(file: str, now: datetime = NOON) -> list[str]:
    with verified(file, now) as artifact:
        return [key.name for key in artifact.signers]


def test_a_key_counts_from_the_second_on_that_it_is_valid_from() -> None:
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada Lovelace", valid_from=NOON))
    file = signed("ada")
    assert signers(file, NOON) == ["ada"]
    whose = r"ada \(.{8}\.\.\.\), Ada Lovelace, whose key is valid from 2026-06-01T12"
    with pytest.raises(KeyLifetimeError, match=whose) as caught:
        verified(file, NOON - SECOND)
    assert (caught.value.owner, "clock" in caught.value.hint) == ("Ada Lovelace", True)


def test_a_key_counts_no_more_from_the_second_on_that_it_is_valid_until() -> None:
    trust_add("ada.pub", "keys", KeyTerms(valid_until=NOON))
    file = signed("ada")
    assert signers(file, NOON - SECOND) == ["ada"]
    with pytest.raises(KeyLifetimeError, match="was valid until 2026-06-01T12:00:00Z"):
        verified(file, NOON)


def test_a_key_counts_no_more_from_the_second_on_that_it_is_revoked() -> None:
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    trust_revoke("ada", "keys", reason="laptop \x1b[2Kstolen", at=NOON)
    file = signed("ada")
    assert signers(file, NOON - SECOND) == ["ada"]
    with pytest.raises(RevokedKeyError, match=r"revoked on 2026-06-01T12:00:00Z: laptop \\x1b\[2Kstolen"):
        verified(file, NOON)


def test_a_revoked_key_is_named_before_one_that_expired() -> None:
    trust_add("ada.pub", "keys", KeyTerms(valid_until=NOON))
    trust_add("bob.pub", "keys")
    trust_revoke("bob", "keys", at=NOON)
    with pytest.raises(RevokedKeyError, match="bob"):
        verified(signed("ada", "bob"))


def test_one_signature_that_counts_is_enough_beside_one_that_does_not() -> None:
    trust_add("ada.pub", "keys", KeyTerms(valid_until=NOON))
    trust_add("bob.pub", "keys")
    assert signers(signed("ada", "bob")) == ["bob"]


def test_a_bad_signature_of_a_revoked_key_does_not_matter_and_one_of_another_does() -> None:
    """Whoever stole the key could else keep a good file from being loaded."""
    trust_add("ada.pub", "keys")
    trust_add("bob.pub", "keys")
    file = Path(signed("bob", "ada"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1  # of the last record, ada's
    file.write_bytes(data)
    with pytest.raises(BadSignatureError, match="ada"):
        verified(str(file))
    trust_revoke("ada", "keys", at=NOON)
    assert signers(str(file)) == ["bob"]


@pytest.mark.parametrize(
    ("model", "good"),
    [("churn", True), ("fraud/cards", True), ("fraud", False), ("fraud/a/b", False), ("churn2", False), (None, False)],
)
def test_a_key_counts_for_the_models_that_it_may_sign(model: str | None, good: bool) -> None:
    trust_add("ada.pub", "keys", KeyTerms(models=("churn", "fraud/*")))
    file = signed("ada", model=model)
    if good:
        assert signers(file) == ["ada"]
        return
    with pytest.raises(OutOfScopeError, match='who may sign "churn", "fraud/\\*", and holds') as caught:
        verified(file)
    assert "--name" in caught.value.hint


def test_the_name_that_counts_is_the_signed_one() -> None:
    trust_add("ada.pub", "keys", KeyTerms(models=("churn",)))
    file = Path(signed("ada", model="other"))
    Path("churn.safeload").write_bytes(file.read_bytes())
    with pytest.raises(OutOfScopeError):
        verified("churn.safeload")


def release(threshold: int = 2, models: tuple[str, ...] | None = None) -> None:
    for name in ("ada", "bob", "eve"):
        trust_add(f"{name}.pub", "keys", KeyTerms(owner=name.title()))
    trust_role("release", ["ada", "bob", "eve"], threshold, "keys", models)


def test_two_of_three_must_have_signed() -> None:
    release()
    asked = r'1 of the 2 signatures that the role "release" of keys/ asks for'
    with pytest.raises(ThresholdError, match=asked) as caught:
        verified(signed("ada"))
    assert (caught.value.role, caught.value.needed) == ("release", 1)
    assert signers(signed("ada", "eve")) == ["ada", "eve"]
    assert signers(signed("eve", "bob", "ada")) == ["eve", "bob", "ada"]


def test_a_signature_that_does_not_count_does_not_count_for_a_threshold() -> None:
    release()
    file = signed("ada", "eve")
    trust_revoke("eve", "keys", at=NOON)
    with pytest.raises(ThresholdError):
        verified(file)
    safeload.sign(file, signer="bob.key")
    assert signers(file) == ["ada", "bob"]


def test_who_is_trusted_and_not_in_the_role_does_not_count_for_it() -> None:
    release()
    keygen("mallory")
    trust_add("mallory.pub", "keys")
    with pytest.raises(ThresholdError):
        verified(signed("ada", "mallory"))


def test_removing_or_reordering_records_never_adds_to_a_threshold() -> None:
    release(3)
    file = Path(signed("ada", "bob", "eve"))
    assert len(signers(str(file))) == 3
    data = file.read_bytes()
    size = 43 + 64
    body, records = data[: -3 * size], [data[-3 * size :][at : at + size] for at in range(0, 3 * size, size)]
    file.write_bytes(body + b"".join(reversed(records)))
    assert len(signers(str(file))) == 3
    for kept in ([0, 1], [1, 2], [0, 2], [2]):
        file.write_bytes(body + b"".join(records[index] for index in kept))
        with pytest.raises(ThresholdError):
            verified(str(file))
    file.write_bytes(body + records[0] + records[1] + records[1])
    with pytest.raises(safeload.errors.FormatError):
        verified(str(file))


def test_a_model_that_no_role_is_for_is_refused_where_there_are_roles() -> None:
    """Else whoever has one key would give the model another name."""
    release(2, models=("churn",))
    assert signers(signed("ada", "bob", model="churn")) == ["ada", "bob"]
    for model in ("chum", None):
        with pytest.raises(ThresholdError, match=r"for which no role of keys/ is"):
            verified(signed("ada", "bob", "eve", model=model))


def test_every_role_that_is_for_a_model_must_be_satisfied() -> None:
    release(1)
    trust_role("fraud", ["bob", "eve"], 2, "keys", ("fraud/*",))
    assert signers(signed("ada", model="churn")) == ["ada"]
    with pytest.raises(ThresholdError, match="fraud"):
        verified(signed("ada", "bob", model="fraud/cards"))
    assert signers(signed("bob", "eve", model="fraud/cards")) == ["bob", "eve"]


def test_one_key_under_two_names_is_one_key() -> None:
    release()
    Path("keys/adas-other.pub").write_bytes(Path("ada.pub").read_bytes())
    assert [entry.key.name for entry in trust_list("keys")] == ["ada", "bob", "eve"]
    with pytest.raises(ThresholdError):
        verified(signed("ada"))


def test_a_hybrid_and_its_own_ed25519_part_are_one_party() -> None:
    """Two keyids, one thief."""
    keygen("both", "ed25519+ml-dsa-65")
    half = Path("both.key").read_text().split("-----END PRIVATE KEY-----\n")[0] + "-----END PRIVATE KEY-----\n"
    Path("half.key").write_text(half)
    Path("half.key").chmod(0o600)
    first = Path("both.pub").read_text().split("-----END PUBLIC KEY-----\n")[0] + "-----END PUBLIC KEY-----\n"
    Path("half.pub").write_text(first)
    for name in ("both", "half", "ada"):
        trust_add(f"{name}.pub", "keys", KeyTerms(owner="x"))
    trust_role("release", ["both", "half", "ada"], 2, "keys")
    with pytest.raises(ThresholdError, match="1 of the 2"):
        verified(signed("both", "half"))
    assert signers(signed("both", "half", "ada")) == ["both", "half", "ada"]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6))
def test_keys_that_share_material_are_counted_once(pairs: list[tuple[int, int]]) -> None:
    """Each pair is a hybrid of two parts: as many parties as components of the graph of parts."""
    keys = [TrustedKey(HYBRID, EDS[left] + MLS[right], "k") for left, right in pairs]
    groups: list[set[object]] = []
    for left, right in pairs:
        parts: set[object] = {("ed", left), ("ml", right)}
        joined = [group for group in groups if group & parts]
        groups = [group for group in groups if not group & parts] + [parts.union(*joined)]
    assert len(set(parties(keys).values())) == len(groups)


EDS = [kinds.public_key(Key(ED25519, bytes([n]) * 32)).raw for n in range(4)]
MLS = [bytes([n]) * 1952 for n in range(4)]


def test_a_key_that_the_ledger_does_not_list_does_not_count() -> None:
    """With a signed or reviewed trust.toml, a file dropped into the folder is no way in."""
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    Path("keys/eve.pub").write_bytes(Path("eve.pub").read_bytes())
    with pytest.warns(IgnoredKeyWarning, match=r"eve\.pub in keys is ignored"), pytest.raises(UntrustedSignerError):
        verified(signed("eve"))


def test_the_first_word_on_one_key_keeps_all_others_trusted() -> None:
    trust_add("ada.pub", "keys")
    trust_add("bob.pub", "keys")
    assert not Path("keys/trust.toml").exists()
    trust_revoke("bob", "keys", at=NOON)
    assert signers(signed("ada")) == ["ada"]


def test_what_people_wrote_into_the_ledger_stays() -> None:
    trust_add("ada.pub", "keys", KeyTerms(owner="Ada"))
    ledger = Path("keys/trust.toml")
    ledger.write_text(ledger.read_text() + "# met at the office, 2026-05-02\n")
    trust_add("bob.pub", "keys")
    trust_revoke("ada", "keys", at=NOON, reason="left")
    text = ledger.read_text()
    assert "# met at the office" in text
    assert text.startswith("# Whose signatures count")
    assert parse_ledger(text.encode(), "t").terms[trust_list("keys")[0].key.keyid].revoked_because == "left"


_KEY = "version = 1\n[[key]]\nkeyid = 'K'\n"
_ROLE = _KEY + "[[role]]\nname = 'r'\n"
BROKEN = {
    "": "version is missing",
    "version = 2\n": "not of version 1",
    "version = 1\ncolour = 3\n": "colour is not known",
    "version = 1\n[[key]]\nkeyid = 'ab'\n": r"key\[0\]\.keyid is not 64",
    _KEY + "valid-untill = 2027-01-01T00:00:00Z\n": r"valid-untill is not known",
    _KEY + "valid-until = 2027-01-01\n": r"valid-until is no date with a time",
    _KEY + "valid-until = 2027-01-01T00:00:00\n": "has no offset",
    _KEY + "valid-until = '2027-01-01T00:00:00Z'\n": "is no date with a time",
    _KEY + "valid-from = 2027-01-01T00:00:00Z\nvalid-until = 2026-01-01T00:00:00Z\n": "never count",
    _KEY + "revoked-because = 'x'\n": "is the key revoked, or not",
    _KEY + "[[key]]\nkeyid = 'K'\n": "stands there twice",
    _KEY + "models = []\n": "is no list of names or patterns",
    _KEY + "models = ['[a]']\n": "is no list of names or patterns",
    "version = 1\n[key]\nkeyid = 'K'\n": "key is no list",
    _ROLE + "threshold = 2\nkeyids = ['K']\n": "is not 1 to 1",
    _ROLE + "threshold = true\nkeyids = ['K']\n": "is no whole number",
    _ROLE + "threshold = 1\nkeyids = ['K', 'K']\n": "names a key twice",
    "version = 1\n[[role]]\nname = 'r'\nthreshold = 1\nkeyids = ['K']\n": "names a key that no",
    _KEY + "[[role]]\nthreshold = 1\nkeyids = ['K']\n": "name is missing",
    "version = 1\nversion = 1\n": "is not TOML",
    "a = " + "[" * 100_000: "is not TOML",
}


@pytest.mark.parametrize("text", BROKEN, ids=list(map(str, range(len(BROKEN)))))
def test_a_ledger_is_understood_to_its_end_or_not_used(text: str) -> None:
    trust_add("ada.pub", "keys")
    Path("keys/trust.toml").write_text(text.replace("'K'", f"'{'0' * 64}'"))
    with pytest.raises(KeyFileError, match=BROKEN[text]) as caught:
        TrustStore.open("keys")
    assert "keys/trust.toml" in str(caught.value)


@given(st.text(max_size=300))
def test_any_text_is_a_ledger_or_a_key_file_error(text: str) -> None:
    with contextlib.suppress(KeyFileError):
        parse_ledger(text.encode("utf-8", "surrogatepass"), "t")


def test_a_ledger_in_another_case_is_not_passed_over() -> None:
    trust_add("ada.pub", "keys")
    Path("keys/Trust.TOML").write_text("version = 1\n")
    with pytest.raises(KeyFileError, match=r"call it trust\.toml"):
        TrustStore.open("keys")


def test_check_says_what_does_not_count_and_what_cannot_be_satisfied() -> None:
    release()
    assert trust_check("keys", now=NOON) == ()
    trust_add("bob.pub", "keys", KeyTerms(valid_until=NOON))
    trust_revoke("eve", "keys", at=NOON)  # on purpose and for ever: not reported, but it leaves its role
    Path("keys/ada.pub").unlink()
    found = trust_check("keys", now=NOON)
    wanted = ("bob", "no .pub file", "0 keys of it count")
    assert all(part in text for part, text in zip(wanted, found, strict=True)), found


@pytest.mark.parametrize("name", ["nobody", "ad", "0" * 64])
def test_a_key_that_is_not_there_is_not_revoked(name: str) -> None:
    trust_add("ada.pub", "keys")
    with pytest.raises(KeyFileError, match="is the name or keyid of no key"):
        trust_revoke(name, "keys")
    assert not Path("keys/trust.toml").exists()


def test_a_key_is_named_by_the_first_digits_of_its_keyid() -> None:
    key = trust_add("ada.pub", "keys").key
    assert trust_revoke(key.keyid[:8].upper(), "keys", at=NOON).terms.revoked_at == NOON


def test_two_that_change_a_store_at_once_both_are_heard() -> None:
    from concurrent.futures import ThreadPoolExecutor

    names = [f"k{n}" for n in range(8)]
    for name in names:
        keygen(name)
        trust_add(f"{name}.pub", "keys", KeyTerms(owner="x"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: trust_revoke(name, "keys", at=NOON), names))
    assert [entry.terms.revoked_at for entry in trust_list("keys")] == [NOON] * 8


@pytest.mark.parametrize(
    ("pattern", "name", "good"),
    [
        ("*", "churn", True),
        ("*", "a/b", False),
        ("*/*", "a/b", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("churn-*", "churn-", True),
        ("*-v1", "a-v1-v1", True),
        ("CHURN", "churn", False),
    ],
)
def test_patterns_match_within_parts(pattern: str, name: str, good: bool) -> None:
    assert is_pattern(pattern)
    assert matches((pattern,), name) is good


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not matches(("*a" * 100 + "b",), "a" * 100_000)


@pytest.mark.parametrize("name", ["", "a//b", "/a", "../x", "a\x1b", "a" * 2_000])
def test_a_model_gets_a_name_that_patterns_can_speak_of(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a model"):
        safeload.dump(1, "x.safeload", signer="ada.key", name=name)
    assert not Path("x.safeload").exists()
