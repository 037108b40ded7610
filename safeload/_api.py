"""The public verbs: each is the specification's steps, in order."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safeload.artifact import Artifact, ArtifactWriter, UnverifiedArtifact
from safeload.artifact.description import describe
from safeload.artifact.hyperparameters import hyperparameters_of
from safeload.artifact.opened import file_name
from safeload.artifact.signing import add_signature
from safeload.artifact.unpacking import write_members
from safeload.codecs import CODECS
from safeload.codecs.base import LoadOptions
from safeload.codecs.summary import summarise
from safeload.container.atomic import atomic_file
from safeload.container.encodings import Compression, choose_compression
from safeload.container.source import allocate, open_source
from safeload.errors import SafeloadError
from safeload.keys import signer_from, trust_from
from safeload.limits import DEFAULT_LIMITS, Limits
from safeload.policy import Policy
from safeload.readers.observations import Use
from safeload.text import printable
from safeload.warn import warn_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from safeload.codecs.summary import Summary
    from safeload.container.manifest import Manifest
    from safeload.keys import Signer, TrustStore

__all__ = ["PolicyWarning", "convert", "dump", "inspect", "load", "load_untrusted", "pack", "sign", "unpack", "verify"]

StrPath = str | os.PathLike[str]
File = StrPath | IO[bytes]
_MEMBER = "model.joblib"


class PolicyWarning(UserWarning):
    """What was saved will not load with the default policy alone."""


def dump(
    value: Any,
    filename: File,
    compress: int | bool | str | tuple[str, int | None] = 0,
    protocol: int | None = None,
    *,
    signer: Signer | StrPath | None = None,
    digest: str = "blake3",
    metadata: Mapping[str, Any] | None = None,
) -> Manifest:
    """Save `value` into one signed file, as :func:`joblib.dump` would into an unsigned one.

    Parameters
    ----------
    value
        Any object that `joblib.dump` takes.
    filename
        A path, or a file object open for writing bytes. A path is replaced in one step: a crash leaves the old file.
    compress
        As in joblib: 0 to 9, a bool, a name (``"zlib" "gzip" "bz2" "lzma" "xz" "lz4"``, and ``"zstd"``), or
        (name, level).
    protocol
        Pickle protocol, 0 to 5; None is Python's default.
    signer
        A Signer, or the path of a private or HMAC key. None: the path in ``SAFELOAD_KEY``.
    digest
        ``"blake3"`` or ``"sha256"``.
    metadata
        JSON that is signed with the model; ``hyperparameters`` is added from ``value.get_params()``.

    Raises NoSignerError, KeyFileError, CodecError for what cannot be pickled, ValueError, OSError.
    """
    compression = choose_compression(compress)
    signer = signer_from(signer)
    extra = dict(metadata or {})
    if "hyperparameters" not in extra and (params := hyperparameters_of(value)) is not None:
        extra["hyperparameters"] = params

    def write(file: IO[bytes]) -> None:
        CODECS["joblib"].write(value, file, protocol)

    return _write(filename, _MEMBER, lambda summary: "joblib", write, compression, signer, digest, extra)


def pack(
    path: StrPath,
    filename: File,
    compress: int | bool | str | tuple[str, int | None] = 0,
    *,
    signer: Signer | StrPath | None = None,
    digest: str = "blake3",
    metadata: Mapping[str, Any] | None = None,
) -> Manifest:
    """Sign an existing model file as it is, byte for byte; :func:`unpack` gives it back.

    A signature says who, not that it is safe: what the default policy would not load is warned of and not refused.
    Parameters as in :func:`dump`.
    """
    compression, signer = choose_compression(compress), signer_from(signer)

    def write(file: IO[bytes]) -> None:
        with Path(path).open("rb") as original:
            shutil.copyfileobj(original, file, 4 << 20)

    def kind(summary: Summary | None) -> str:
        return "file" if summary is None else "joblib"

    return _write(filename, Path(path).name, kind, write, compression, signer, digest, dict(metadata or {}))


def _write(
    filename: File,
    member: str,
    kind: Callable[[Summary | None], str],
    write: Callable[[IO[bytes]], None],
    compression: Compression,
    signer: Signer,
    digest: str,
    metadata: dict[str, Any],
) -> Manifest:
    with _target(filename) as (fd, scratch):
        writer = ArtifactWriter(fd, digest=digest, compression=compression, scratch=scratch)
        plain = writer.add(member, write)
        summary = summarise(plain, DEFAULT_LIMITS)
        manifest = writer.finish(signer, describe(summary, metadata), kinds=[kind(summary)])
    if summary is not None:
        _warn_of_policy(summary)
    return manifest


@contextmanager
def _target(file: File) -> Iterator[tuple[int, str | None]]:
    """A descriptor to write to, and the folder for scratch files.

    A file object gets the bytes only when all are there.
    """
    if isinstance(file, (str, os.PathLike)):
        with atomic_file(file) as fd:
            yield fd, str(Path(os.path.realpath(file)).parent)
        return
    if not hasattr(file, "write"):
        raise ValueError(f"filename must be a path or a file object, got {type(file).__name__}")
    with tempfile.TemporaryFile() as temporary:
        yield temporary.fileno(), None
        temporary.seek(0)
        shutil.copyfileobj(temporary, file, 4 << 20)


def _warn_of_policy(summary: Summary) -> None:
    called = sorted({each.path for each in summary.denied if Use.CALLED in each.use})
    if called:
        warn_caller(f"loading will be refused: this file calls {', '.join(map(printable, called))}", PolicyWarning)
    elif summary.denied:
        paths = sorted({printable(each.path) for each in summary.denied})
        warn_caller(f"loading this will need: {' '.join(f'--allow {path}' for path in paths)}", PolicyWarning)
    elif summary.facts:
        warn_caller(f"loading will be refused: {summary.facts[0]}", PolicyWarning)


def sign(filename: StrPath, *, signer: Signer | StrPath | None = None) -> None:
    """Add one more signature to a file, whose payload is checked against its manifest first.

    Raises FormatError, DigestMismatchError, AlreadySignedError, NoSignerError, KeyFileError.
    """
    add_signature(os.fspath(filename), signer_from(signer))


def inspect(filename: File, *, limits: Limits = DEFAULT_LIMITS) -> UnverifiedArtifact:
    """Open a file without believing it: ``.claimed`` is what it says of itself. Raises FormatError."""
    return UnverifiedArtifact(filename, limits=limits)


def verify(filename: File, *, trust: TrustStore | StrPath | None = None, limits: Limits = DEFAULT_LIMITS) -> Artifact:
    """Check signatures and every byte of the payload; returns the Artifact, which alone can be loaded.

    `trust` is a TrustStore, a folder of ``.pub`` files, or one ``.pub`` or ``.hmac`` file; None is the path in
    ``SAFELOAD_TRUST``. Raises VerificationError, FormatError, NoTrustError, KeyFileError, OSError.
    """
    artifact = _authenticate(filename, trust, limits)
    try:
        artifact.check_payload()
    except BaseException:
        artifact.close()
        raise
    return artifact


def _authenticate(filename: File, trust: TrustStore | StrPath | None, limits: Limits) -> Artifact:
    store = trust_from(trust)
    unverified = UnverifiedArtifact(filename, limits=limits)
    try:
        return unverified.verify(store)
    except BaseException:
        unverified.close()
        raise


def load(
    filename: File,
    mmap_mode: str | None = None,
    *,
    trust: TrustStore | StrPath | None = None,
    policy: Policy | None = None,
    environment: str = "compatible",
    limits: Limits = DEFAULT_LIMITS,
) -> Any:
    """Verify a file and rebuild its object, in one pass over the file: what is loaded is what was verified.

    Parameters
    ----------
    filename
        A path, or a file object, read from its position to its end.
    mmap_mode
        None or ``"c"``: arrays are private and writable; ``"r"``: read-only. Nothing is mapped from the file.
    trust
        As in :func:`verify`.
    policy
        What may load; None is ``Policy.default()``.
    environment
        What other versions than at the time of saving do: ``"exact"`` refuses, ``"compatible"`` warns, ``"ignore"``.

    Raises VerificationError, FormatError, PolicyError, CodecError, NoTrustError, OSError.
    """
    with _authenticate(filename, trust, limits) as artifact:
        return artifact.load(mmap_mode, policy=policy, environment=environment)


def load_untrusted(
    source: File, mmap_mode: str | None = None, *, policy: Policy | None = None, limits: Limits = DEFAULT_LIMITS
) -> Any:
    """Rebuild the object in a plain pickle or joblib file, compressed or not, that nobody signed.

    The same analysis, policy and unpickler as in :func:`load`. Raises PolicyError, CodecError, LimitError, OSError.
    """
    name = file_name(source)
    opened = open_source(source)
    try:
        memory = allocate(opened.size)
        opened.read_into(0, memory)
    finally:
        opened.close()
    options = LoadOptions(policy=policy or Policy.untrusted(), mmap_mode=mmap_mode, limits=limits, member="")
    try:
        return CODECS["joblib"].load(memory, options)
    except SafeloadError as error:
        error.locate(name)
        raise


def unpack(
    filename: File,
    destination: StrPath,
    *,
    trust: TrustStore | StrPath | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Artifact:
    """Verify, then write what the file holds: one member as the file `destination`, several as a folder of that name.

    A model that :func:`dump` saved comes out as an uncompressed joblib stream; what :func:`pack` took comes back
    byte for byte. Returns the artifact, closed, which still says who signed and what the manifest holds.
    Raises VerificationError, FormatError, NoTrustError, OSError.
    """
    with _authenticate(filename, trust, limits) as artifact:
        write_members(artifact, destination)
    return artifact


def convert(
    source: File,
    filename: File,
    compress: int | bool | str | tuple[str, int | None] = 0,
    protocol: int | None = None,
    *,
    signer: Signer | StrPath | None = None,
    policy: Policy | None = None,
    digest: str = "blake3",
    metadata: Mapping[str, Any] | None = None,
) -> Manifest:
    """Rebuild the object of a plain file under guard and save it signed. Parameters as in the two functions it joins.

    Raises PolicyError and CodecError before anything is written.
    """
    signer = signer_from(signer)
    value = load_untrusted(source, policy=policy)
    return dump(value, filename, compress, protocol, signer=signer, digest=digest, metadata=metadata)
