"""The files of tests/vectors, which testkit wrote from docs/format.md alone, against the package."""

from __future__ import annotations

import contextlib
import hashlib
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload.container.manifest_json import parse_time
from safeload.errors import SafeloadError
from safeload.keys import trust_from
from testkit.scenarios import all_vectors
from testkit.vector import CLASS_OF, VECTORS, Vector, keys

FORMAT = Path(__file__).parents[1] / "docs" / "format.md"

# What no file can show by itself.
NOT_IN_A_FILE = {
    "environment-mismatch": "depends on the packages that are installed, and only load() compares them",
    "unsupported-encryption": "what a reader says that does not implement encryption",
    "detached-signature": "stands in a second file (tests/test_detached.py)",
}


# Without the bodies: together they are large.
DISK = [Vector.announced(path.stem, path.read_bytes()) for path in sorted(VECTORS.glob("*.vec"))]
SUCCESS = [vector for vector in DISK if not vector.violation]
AT_VERIFY = [vector for vector in DISK if vector.violation and vector.at == "verify"]
AT_READ = [vector for vector in DISK if vector.violation and vector.at == "read"]


def each(vectors: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: vector.name)


def on_disk(name: str) -> Vector:
    return Vector.decode(name, (VECTORS / f"{name}.vec").read_bytes())


@pytest.fixture
def artifact_path(vector: Vector, tmp_path: Path) -> Path:
    path = tmp_path / "vector.safeload"
    path.write_bytes(on_disk(vector.name).body)
    return path


def verified(path: Path, trust: Path | safeload.TrustStore, vector: Vector) -> safeload.Artifact:
    if not vector.now:
        return safeload.verify(path, trust=trust)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", safeload.IgnoredKeyWarning)
        store = trust_from(trust)
    with safeload.inspect(path) as unverified:
        return unverified.verify(store, now=parse_time(vector.now))


@pytest.fixture
def trust(vector: Vector, tmp_path: Path) -> Path | safeload.TrustStore:
    """The trust that the header names, made of the keys beside the vectors."""
    folder = tmp_path / "trust"
    folder.mkdir()
    if vector.ledger:
        (folder / "trust.toml").write_text(vector.ledger, "utf-8")
        copied("test.pub", folder)
        if vector.trust == "ed25519+other":
            copied("other.pub", folder)
        return folder
    match vector.trust:
        case "ed25519":
            return copied("test.pub", folder)
        case "other":
            return copied("other.pub", folder)
        case "hmac":
            return copied("test.hmac", folder)
        case "ed25519+other":
            copied("test.pub", folder)
            copied("other.pub", folder)
            return folder
        case "both":
            copied("test.pub", folder)
            return safeload.TrustStore.open(folder, shared=[copied("test.hmac", tmp_path)])
        case "folder-with-hmac":
            copied("test.pub", folder)
            copied("test.hmac", folder)
            return store_that_warns(folder)
    raise ValueError(vector.trust)


@pytest.fixture
def secret(vector: Vector, tmp_path: Path) -> dict[str, Any]:
    """What the header gives a reader of an encrypted file."""
    identity = copied(f"{vector.identity}.identity", tmp_path) if vector.identity else None
    return {"identity": identity, "passphrase": vector.passphrase or None}


def copied(name: str, folder: Path) -> Path:
    """A key with the mode that a secret must have, which git does not keep."""
    path = folder / name
    path.write_bytes((VECTORS / "keys" / name).read_bytes())
    path.chmod(0o600)
    return path


def store_that_warns(folder: Path) -> safeload.TrustStore:
    """A shared key that merely lies in the folder is ignored with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return safeload.TrustStore.open(folder)


# --- the package against the vectors ----------------------------------------------------------


@each(SUCCESS)
def test_an_honest_file_gives_its_members(
    vector: Vector, artifact_path: Path, trust: Path | safeload.TrustStore, secret: dict[str, Any]
) -> None:
    with verified(artifact_path, trust, vector) as artifact:
        plain = read_all(artifact, **secret)
        sizes = {member.name: member.size for member in artifact.members}
    assert list(plain) == [name for name, _ in vector.members]
    assert {name: hashlib.sha256(data).hexdigest() for name, data in plain.items()} == dict(vector.members)
    assert {name: len(data) for name, data in plain.items()} == sizes


@each(AT_VERIFY)
def test_a_wrong_file_does_not_verify(vector: Vector, artifact_path: Path, trust: Path | safeload.TrustStore) -> None:
    with pytest.raises(SafeloadError) as caught:
        verified(artifact_path, trust, vector)
    assert answer(caught.value) == (vector.expect, vector.violation)


@each(AT_READ)
def test_a_wrong_member_of_an_authentic_file_is_not_released(
    vector: Vector, artifact_path: Path, trust: Path | safeload.TrustStore, secret: dict[str, Any]
) -> None:
    released, first = b"", None
    with safeload.verify(artifact_path, trust=trust) as artifact:
        for member in artifact.members:
            try:
                released += bytes(artifact.read(member.name, **secret))
            except SafeloadError as error:
                first = first or error
    assert first is not None
    assert answer(first) == (vector.expect, vector.violation)
    assert hashlib.sha256(released).hexdigest() == vector.released


@each(SUCCESS + AT_READ)
def test_inspect_describes_every_authentic_file(vector: Vector, artifact_path: Path) -> None:
    with safeload.inspect(artifact_path):
        pass


@each(AT_VERIFY)
def test_inspect_raises_nothing_but_our_own_errors(vector: Vector, artifact_path: Path) -> None:
    with contextlib.suppress(SafeloadError), safeload.inspect(artifact_path):
        pass


def read_all(artifact: safeload.Artifact, **secret: Any) -> dict[str, bytes]:
    artifact.unlock(**secret)
    return {member.name: bytes(artifact.read(member.name)) for member in artifact.members}


def answer(error: SafeloadError) -> tuple[str, str]:
    return type(error).__name__, getattr(error, "violation", "")


# --- the vectors themselves -------------------------------------------------------------------


def test_the_vectors_are_those_that_the_script_writes_now() -> None:
    names = {vector.name for vector in DISK}
    made, changed = [], []
    for vector in all_vectors():
        made.append(vector.name)
        if vector.name in names and not same(on_disk(vector.name), vector):
            changed.append(vector.name)
    assert changed == []
    assert sorted(made) == sorted(names)
    assert len({name.casefold() for name in made}) == len(made)


def same(disk: Vector, made: Vector) -> bool:
    if disk.compressors == made.compressors:
        return disk == made
    # Another version of a compressor is installed: its streams may be other bytes, and as right.
    return replace(disk, body=b"", compressors=()) == replace(made, body=b"", compressors=())


def test_the_keys_are_those_that_the_script_writes_now() -> None:
    assert {path.name: path.read_bytes() for path in (VECTORS / "keys").iterdir()} == keys()


def test_there_are_enough_vectors_and_they_are_small() -> None:
    assert len(DISK) >= 60
    assert sum(path.stat().st_size for path in VECTORS.rglob("*") if path.is_file()) < 1_000_000


def test_every_violation_of_the_format_has_a_vector() -> None:
    shown = {vector.violation for vector in DISK} - {""}
    assert shown | NOT_IN_A_FILE.keys() == slugs()
    assert shown & NOT_IN_A_FILE.keys() == set()
    assert CLASS_OF.keys() == shown


def slugs() -> set[str]:
    """Section 11 names the slugs, and of those of sections 5 and 6 only the sections."""
    errors = [row.split("|")[2] for row in section(11).splitlines() if row.startswith("| `")]
    of_json = section(5).partition("\n\nTop level:")[0]
    texts = [row.split("|")[1] for row in of_json.splitlines() if row.startswith("| `")]
    found = re.findall(r"`([a-z0-9-]+)`", " ".join(errors + texts))
    return {*found, *re.findall(r"`((?:member|duplicate)-[a-z]+)`", section(6))}


def section(number: int) -> str:
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", FORMAT.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return found[0]
