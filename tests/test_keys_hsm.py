"""Keys that stay where they are: a real PKCS#11 token, and signers of securesystemslib."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from securesystemslib.signer import CryptoSigner, HSMSigner, Key, Signature
from securesystemslib.signer import Signer as TheirSigner

import safeload
from programs import absent
from safeload.container.envelope import pre_authentication_encoding
from safeload.errors import AlgorithmError, KeyFileError, KeyPassphraseError, RemoteKeyError
from safeload.keys import ECDSA_P256
from softhsm import PIN, Hsm, make_hsm
from test_cli_desk import lay, run
from test_cli_terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

URI = "hsm:2?label=release"


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hsm]:
    with pytest.MonkeyPatch.context() as environment:
        yield make_hsm(tmp_path_factory.mktemp("hsm"), environment)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay(tmp_path, monkeypatch)


def openssl_verifies(path: Path, pub: Path, folder: Path) -> bool:
    with safeload.inspect(path) as opened:
        (folder / "pae").write_bytes(pre_authentication_encoding(opened.manifest_bytes))
        (folder / "sig").write_bytes(opened.records[-1].signature)
    command = [
        "openssl",
        "dgst",
        "-sha256",
        "-verify",
        str(pub),
        "-signature",
        str(folder / "sig"),
        str(folder / "pae"),
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_key_in_an_hsm_signs_and_openssl_agrees(hsm: Hsm, tmp_path: Path) -> None:
    signer = safeload.Signer.from_uri(URI, hsm.pub(2), PIN)
    (key,) = safeload.TrustStore.from_file(hsm.pub(2)).keys
    assert (signer.algorithm, signer.keyid) == (ECDSA_P256, key.keyid)
    safeload.dump([1, 2], tmp_path / "m.safeload", signer=signer)
    assert safeload.load(tmp_path / "m.safeload", trust=hsm.pub(2)) == [1, 2]
    assert openssl_verifies(tmp_path / "m.safeload", hsm.pub(2), tmp_path)
    assert not openssl_verifies(tmp_path / "m.safeload", hsm.pub(3), tmp_path)


def test_the_pin_may_come_from_the_environment_or_a_function(hsm: Hsm, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(wanted: str) -> str:
        asked.append(wanted)
        return PIN

    assert safeload.Signer.from_uri(URI, hsm.pub(2), ask).sign(b"m")
    assert asked == ["pin"]
    with pytest.raises(KeyPassphraseError, match="wants a pin, and SAFELOAD_KEY_PIN is not set"):
        safeload.Signer.from_uri(URI, hsm.pub(2)).sign(b"m")
    monkeypatch.setenv("SAFELOAD_KEY_PIN", PIN)
    assert safeload.Signer.from_uri(URI, hsm.pub(2)).sign(b"m")


@pytest.mark.parametrize("uri", [URI, "hsm:3?label=release"])
def test_what_the_public_key_does_not_verify_is_never_written(hsm: Hsm, tmp_path: Path, uri: str) -> None:
    other = hsm.pub(3 if uri == URI else 2)
    with pytest.raises(RemoteKeyError, match="signed with another key than"):
        safeload.dump([1], tmp_path / "m.safeload", signer=safeload.Signer.from_uri(uri, other, PIN))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("uri", "pin", "said"),
    [
        (URI, "11111111", "did not sign: PinIncorrect"),
        ("hsm:9?label=release", PIN, "could not find ECDSA private key"),
        ("hsm:2?label=nobody", PIN, "No PKCS#11 token found for label nobody"),
    ],
)
def test_a_wrong_pin_slot_or_token_is_said_and_shows_no_pin(hsm: Hsm, uri: str, pin: str, said: str) -> None:
    with pytest.raises(RemoteKeyError) as caught:
        safeload.Signer.from_uri(uri, hsm.pub(2), pin).sign(b"m")
    assert said in str(caught.value)
    assert "PYKCS11LIB" in caught.value.hint
    assert pin not in "".join(traceback.format_exception(caught.value))


def test_a_signer_of_securesystemslib_is_taken_as_it_is(hsm: Hsm, tmp_path: Path) -> None:
    uri, key = HSMSigner.import_(2, "release")
    assert uri == URI
    theirs = TheirSigner.from_priv_key_uri(uri, key, lambda wanted: PIN)
    signer = safeload.Signer.from_securesystemslib(theirs)
    safeload.dump([1], tmp_path / "m.safeload", signer=signer)
    assert safeload.load(tmp_path / "m.safeload", trust=hsm.pub(2)) == [1]
    assert PIN not in repr(signer)


def test_their_ed25519_keys_have_our_keyids(tmp_path: Path) -> None:
    signer = safeload.Signer.from_securesystemslib(CryptoSigner.generate_ed25519())
    assert signer.algorithm == "ed25519"
    safeload.dump([1], tmp_path / "m.safeload", signer=signer)
    with safeload.inspect(tmp_path / "m.safeload") as opened:
        assert [record.keyid for record in opened.records] == [signer.keyid]


def test_an_algorithm_that_is_not_ours_is_refused_before_anything_is_hashed(hsm: Hsm) -> None:
    with pytest.raises(AlgorithmError, match="signs by rsassa-pss-sha256; an HSM or a key service signs for safeload"):
        safeload.Signer.from_securesystemslib(CryptoSigner.generate_rsa())
    _, key = HSMSigner.import_(4, "release")
    with pytest.raises(AlgorithmError, match="signs by ecdsa-sha2-nistp384"):
        safeload.Signer.from_securesystemslib(HSMSigner(4, key, lambda wanted: PIN, "release"))
    with pytest.raises(AlgorithmError, match=r"4\.pub holds a key for ECDSA secp384r1"):
        safeload.Signer.from_uri("hsm:4?label=release", hsm.pub(4), PIN)


def test_a_key_for_another_algorithm_cannot_be_the_public_half(tmp_path: Path) -> None:
    safeload.keygen(tmp_path / "late", "ml-dsa-65")
    with pytest.raises(AlgorithmError, match="is for ml-dsa-65"):
        safeload.Signer.from_uri(URI, tmp_path / "late.pub", PIN)


@pytest.mark.parametrize(
    ("uri", "hint"),
    [("team.key", "such as hsm:2"), ("file2:team.key", "--key"), ("gnupg:AB", "a key of your own")],
)
def test_a_uri_that_names_no_key_elsewhere_says_what_to_do(uri: str, hint: str, desk: Path) -> None:
    with pytest.raises(KeyFileError, match="does not name a key in an HSM or a key service") as caught:
        safeload.Signer.from_uri(uri, "team.pub")
    assert hint in caught.value.hint


@pytest.mark.parametrize("uri", ["nowhere:1", "hsm:two"])
def test_a_uri_that_is_not_understood_is_an_error_of_ours(uri: str, desk: Path) -> None:
    safeload.keygen("point", "ecdsa-p256")
    with pytest.raises(RemoteKeyError, match="cannot be used: ValueError: "):
        safeload.Signer.from_uri(uri, "point.pub", PIN)


@pytest.mark.parametrize(
    ("module", "uri", "extra"), [("securesystemslib", "awskms:x", "awskms"), ("pkcs11", "hsm:2", "hsm")]
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    module: str, uri: str, extra: str, desk: Path
) -> None:
    safeload.keygen("point", "ecdsa-p256")
    code = f"import sys; sys.modules[{module!r}] = None; from safeload.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "sign", "m.safeload", "--key-uri", uri, "--public-key", "point.pub"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "takes packages that are not installed" in done.stderr
    assert f'hint: pip install "safeload[{extra}]"' in done.stderr


def test_the_command_line_signs_with_a_uri(
    hsm: Hsm, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"sign m.safeload --key-uri {URI} --public-key {hsm.pub(2)}"
    refused = run(capsys, command)
    assert refused.code == 2
    assert "hint: set SAFELOAD_KEY_PIN, or run this in a terminal, which asks" in refused.err
    monkeypatch.setenv("SAFELOAD_KEY_PIN", "11111111")
    wrong = run(capsys, command)
    assert (wrong.code, "11111111" in wrong.err) == (2, False)
    monkeypatch.setenv("SAFELOAD_KEY_PIN", PIN)
    assert run(capsys, command).code == 0
    safeload.verify("m.safeload", trust=hsm.pub(2)).close()
    assert run(capsys, f"pack m.joblib -o n.safeload --key-uri {URI} --public-key {hsm.pub(2)}").code == 0
    safeload.verify("n.safeload", trust=hsm.pub(2)).close()


def test_the_pin_is_asked_for_at_a_terminal_and_not_shown(hsm: Hsm, desk: Path) -> None:
    terminal = Terminal(f"sign m.safeload --key-uri {URI} --public-key {hsm.pub(2)}")
    terminal.expect(f"pin of {URI}: ")
    terminal.send(f"{PIN}\n")
    code, out = terminal.finish()
    terminal.close()
    assert (code, PIN in terminal.seen + out) == (0, False)


def test_a_key_in_an_hsm_signs_folders_too(hsm: Hsm, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = Path(sys.executable).with_name("model_signing")
    if not program.exists():
        absent("model_signing", "pip install 'safeload[test]'")
    Path("m").mkdir()
    Path("m.safeload").rename("m/m.safeload")
    safeload.export_oms("m/m.safeload", signer=safeload.Signer.from_uri(URI, hsm.pub(2), PIN))
    command = [str(program), "verify", "key", "m", "--signature", "m/model.sig", "--public_key", str(hsm.pub(2))]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    command[-1] = str(hsm.pub(3))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


class Service(TheirSigner):
    """A service that answers with what it was told to."""

    def __init__(self, answer: str) -> None:
        self._answer, self._signer = answer, CryptoSigner.generate_ed25519()

    @property
    def public_key(self) -> Key:
        return self._signer.public_key

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: object = None) -> Service:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        return Signature(self.public_key.keyid, self._answer)


@pytest.mark.parametrize("answer", ["", "00", "ab" * 64, "ab" * 65, "no hex"])
def test_a_service_that_answers_nonsense_is_not_believed(answer: str, tmp_path: Path) -> None:
    signer = safeload.Signer.from_securesystemslib(Service(answer))
    with pytest.raises(RemoteKeyError, match=r"Service (signed with another key|did not sign: ValueError)"):
        safeload.dump([1], tmp_path / "m.safeload", signer=signer)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", ["--key-uri hsm:2", "--public-key team.pub", "--key team.key --key-uri hsm:2"])
def test_half_of_what_a_uri_needs_is_misuse(options: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, f"sign m.safeload {options}").code == 2


def test_nothing_of_this_is_imported_by_those_who_do_not_need_it(desk: Path) -> None:
    code = "import sys, safeload; safeload.sign('m.safeload', signer='stranger.key'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"securesystemslib", "pkcs11"} & set(done.stdout.split())
