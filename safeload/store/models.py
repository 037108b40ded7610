"""A folder of models, and the versions of each."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from safeload.artifact.dumping import dump_object
from safeload.artifact.opened import authenticate, checked
from safeload.artifact.packing import parts_of
from safeload.artifact.saving import Writing, json_object, model_info, save
from safeload.artifact.unpacking import unpack_into
from safeload.container.encodings import choose_compression
from safeload.errors import SafeloadError, VersionMismatchError, VersionNotFoundError
from safeload.keys import audience_from, signer_from, trust_from
from safeload.store.folder import SEPARATOR, Folder
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from safeload.artifact import Artifact
    from safeload.container.manifest import Manifest, ModelInfo
    from safeload.keys import Identity, Recipient, Signer, TrustStore
    from safeload.policy import Policy

    StrPath = str | os.PathLike[str]
    Recipients = Iterable[Recipient | StrPath] | Recipient | StrPath

__all__ = ["ModelStore"]


class ModelStore:
    """Models by name and version, in a folder that any number of processes write to at once.

    ::

        store = safeload.ModelStore("models", signer="team.key", trust="keys/")
        version = store.save("churn", model, metadata={"auc": 0.91})
        model = store.load("churn")

    Parameters
    ----------
    folder
        Made when the first model is saved. A version is the file ``NAME@NUMBER.safeload`` in it, a name with slashes
        (``"fraud/cards"``) in folders below.
    signer
        Who signs what is saved, as in :func:`safeload.dump`; asked for when something is saved.
    trust
        Whose signatures count, as in :func:`safeload.verify`; asked for when something is loaded.
    recipients, compress, digest
        How files are written, as in :func:`safeload.dump`.

    Name and number are signed. A file that was renamed, or put in another's place, is refused; who can remove files
    from the folder can still make an old version the newest.
    """

    def __init__(
        self,
        folder: StrPath,
        *,
        signer: Signer | StrPath | None = None,
        trust: TrustStore | StrPath | None = None,
        recipients: Recipients | None = None,
        compress: int | bool | str | tuple[str, int | None] = 0,
        digest: str = "blake3",
    ) -> None:
        self._folder = Folder(folder)
        self._signer, self._trust, self._recipients = signer, trust, recipients
        self._compress, self._digest = compress, digest

    def __repr__(self) -> str:
        return f"<ModelStore {printable(str(self._folder.path))!r}>"

    def save(
        self, name: str, model: Any, *, metadata: Mapping[str, Any] | None = None, codec: str | None = None
    ) -> int:
        """Save `model` as the next version of `name`, and give its number: 1 for the first. `codec` is as in
        :func:`safeload.dump`.

        No two get the same number, whoever saves at the same time. Raises ValueError for what is no name, and what
        :func:`safeload.dump` raises; then the number goes to the next.
        """
        extra = json_object(metadata)
        return self._save(name, lambda file, info, how: dump_object(model, file, how, extra, info, codec=codec))

    def pack(self, name: str, path: StrPath, *, metadata: Mapping[str, Any] | None = None) -> int:
        """The same for an existing file or folder, byte for byte, as :func:`safeload.pack` takes it."""
        extra = json_object(metadata)
        return self._save(name, lambda file, info, how: save(file, parts_of(path), how, extra, info))

    def load(
        self,
        name: str,
        version: int | None = None,
        mmap_mode: str | None = None,
        *,
        policy: Policy | None = None,
        identity: Identity | StrPath | None = None,
        passphrase: str | bytes | None = None,
        environment: str = "compatible",
        into: Any = None,
    ) -> Any:
        """The object of a version, or of the newest. Parameters as in :func:`safeload.load`.

        Raises VersionNotFoundError, VersionMismatchError, and what :func:`safeload.load` raises.
        """
        with self._verified(name, version) as artifact:
            return artifact.load(
                mmap_mode, policy=policy, environment=environment, identity=identity, passphrase=passphrase, into=into
            )

    def unpack(
        self,
        name: str,
        destination: StrPath,
        version: int | None = None,
        *,
        identity: Identity | StrPath | None = None,
        passphrase: str | bytes | None = None,
    ) -> Artifact:
        """Write what a version holds, as :func:`safeload.unpack` does. Returns the artifact, closed."""
        with self._verified(name, version) as artifact:
            unpack_into(artifact, destination, identity, passphrase)
        return artifact

    def verify(self, name: str, version: int | None = None) -> Artifact:
        """Check signatures, name, number and every byte of a version; returns the artifact."""
        return checked(self._verified(name, version))

    def versions(self, name: str) -> tuple[int, ...]:
        """The numbers that there are of `name`, ascending; empty for a model that is not there.

        By the names of files: what is in them is not looked at.
        """
        _check(name)
        return self._folder.versions(name)

    def list(self) -> tuple[str, ...]:
        """The names of all models that have a version, sorted; by the names of files."""
        return self._folder.names()

    def path(self, name: str, version: int | None = None) -> str:
        """Where the file of a version lies, or of the newest. Raises VersionNotFoundError."""
        return str(self._folder.file(name, self._number(name, version)))

    def _save(self, name: str, write: Callable[[str, ModelInfo, Writing], Manifest]) -> int:
        _check(name)
        # Before a number is taken: who cannot sign leaves none behind.
        signer, audience = signer_from(self._signer), audience_from(self._recipients, None)
        writing = Writing(signer, choose_compression(self._compress), self._digest, audience)
        with self._folder.taken(name) as number:
            info = model_info(name, number)
            assert info is not None  # noqa: S101  # it has a name
            write(str(self._folder.file(name, number)), info, writing)
        return number

    def _verified(self, name: str, version: int | None) -> Artifact:
        trust, number = trust_from(self._trust), self._number(name, version)
        artifact = authenticate(self._folder.file(name, number), trust)
        try:
            _check_place(artifact, name, number)
        except SafeloadError as error:
            artifact.log(error)
            artifact.close()
            raise
        return artifact

    def _number(self, name: str, version: int | None) -> int:
        found = self.versions(name)
        if not found:
            near = difflib.get_close_matches(name, self.list(), 1)
            hint = f"did you mean {printable(near[0])}?" if near else "list() says which models there are"
            raise VersionNotFoundError(f"{self._shown} holds no model {printable(name)}", hint=hint)
        if version is None:
            return found[-1]
        if type(version) is not int:
            raise TypeError(f"version must be an int or None, got {type(version).__name__}")
        if version not in found:
            there = str(found[0]) if len(found) == 1 else f"{len(found)} versions, {found[0]} to {found[-1]}"
            raise VersionNotFoundError(
                f"{self._shown} holds no version {version} of {printable(name)}", hint=f"it holds {there}"
            )
        return version

    @property
    def _shown(self) -> str:
        return printable(str(self._folder.path))


def _check(name: str) -> None:
    model_info(name)
    if SEPARATOR in name:
        raise ValueError(
            f"{printable(name)!r} is no name for a model in a store: {SEPARATOR} stands before its version"
        )


def _check_place(artifact: Artifact, name: str, number: int) -> None:
    """What is signed, against the place that it was found in."""
    model = artifact.manifest.model
    signed = (model.name, model.version) if model else (None, None)
    if signed != (name, number):
        told = "without a name" if signed[0] is None else f"as {printable(signed[0])}"
        version = "without a version" if signed[1] is None else f"version {signed[1]}"
        raise VersionMismatchError(
            f"{printable(artifact.name)} is signed {told}, {version}: it was put in the place of another",
            hint="whoever can write to the folder moved it; nothing of it was loaded",
        )
