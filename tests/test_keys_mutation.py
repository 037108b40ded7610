"""Whatever happens to a key file, the answer is a key or a KeyFileError."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from safeload.errors import KeyFileError
from safeload.hazmat import armor, keyfiles, kinds
from safeload.hazmat.kinds import ED25519, Key
from safeload.keys import hmacfile

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn

SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
PEM = serialization.Encoding.PEM
# PBKDF2 with 2,048 rounds, so that an example costs a millisecond.
ENCRYPTED = KEY.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"y"))
OPENSSH = KEY.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
LINE = KEY.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
PUBLIC = KEY.public_key().public_bytes_raw()

PRIVATE_FILES = [keyfiles.private_pem(Key(ED25519, SEED), None), ENCRYPTED, OPENSSH]
PUBLIC_FILES = [keyfiles.public_pem(Key(ED25519, PUBLIC)), LINE + b" comment\n"]


@st.composite
def damaged(draw: DrawFn, original: bytes) -> bytes:
    """`original` with some bytes replaced, inserted or cut out."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 3))
        data[at : at + cut] = draw(st.binary(max_size=3))
    return bytes(data)


def key_or_error(load: Callable[[], Key | bytes]) -> None:
    with contextlib.suppress(KeyFileError):
        key = load()
        kind = kinds.KINDS[key.algorithm if isinstance(key, Key) else ED25519]
        assert len(key.raw if isinstance(key, Key) else key) in {kind.secret_bytes, kind.public_bytes}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PRIVATE_FILES).flatmap(damaged))
def test_a_damaged_private_key_file_gives_a_key_or_a_key_file_error(data: bytes) -> None:
    key_or_error(lambda: keyfiles.load_private(data, "k", b"y"))
    key_or_error(lambda: keyfiles.load_public(data, "k"))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(PRIVATE_FILES))
def test_damage_below_the_base64_gives_a_key_or_a_key_file_error(data: st.DataObject, original: bytes) -> None:
    (block,) = armor.parse_blocks(original, "k")
    der = data.draw(damaged(block.der()))
    key_or_error(lambda: keyfiles.load_private(armor.render_block(block.label, der), "k", b"y"))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PUBLIC_FILES).flatmap(damaged))
def test_a_damaged_public_key_file_gives_a_key_or_a_key_file_error(data: bytes) -> None:
    key_or_error(lambda: keyfiles.load_public(data, "k"))
    key_or_error(lambda: keyfiles.load_private(data, "k", b"y"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_blob_of_openssh_gives_a_key_or_a_key_file_error(data: st.DataObject) -> None:
    blob = data.draw(damaged(base64.b64decode(LINE.split()[1])))
    key_or_error(lambda: keyfiles.load_public(b"ssh-ed25519 " + base64.b64encode(blob), "k"))


@settings(max_examples=300, deadline=None)
@given(damaged(hmacfile.render(SEED)))
def test_a_damaged_hmac_key_file_gives_a_key_or_a_key_file_error(data: bytes) -> None:
    key_or_error(lambda: hmacfile.parse(data, "k"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_key_or_a_key_file_error(data: bytes) -> None:
    key_or_error(lambda: keyfiles.load_private(data, "k", b"y"))
    key_or_error(lambda: keyfiles.load_public(data, "k"))
    key_or_error(lambda: hmacfile.parse(data, "k"))


@pytest.mark.parametrize("original", PRIVATE_FILES)
def test_every_single_byte_of_a_private_key_file_may_be_lost(original: bytes) -> None:
    for at in range(len(original)):
        lost = original[:at] + original[at + 1 :]
        key_or_error(lambda lost=lost: keyfiles.load_private(lost, "k", b"y"))  # type: ignore[misc]
