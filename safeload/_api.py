"""The public verbs: each is the specification's steps, in order."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from safeload.artifact import Artifact, UnverifiedArtifact
from safeload.artifact.dumping import dump_object
from safeload.artifact.exporting import export_bundle
from safeload.artifact.judging import needs_of_file
from safeload.artifact.opened import authenticate, checked, file_name
from safeload.artifact.packing import parts_of
from safeload.artifact.rewrapping import rewrap_file
from safeload.artifact.saving import PolicyWarning, Writing, json_object, model_info, save
from safeload.artifact.signing import add_detached, add_signature
from safeload.artifact.unpacking import unpack_into
from safeload.artifact.verified import check_options
from safeload.codecs import CODECS, Held, LoadOptions
from safeload.codecs.foreign import load_foreign
from safeload.container.encodings import choose_compression
from safeload.container.layout import MAGIC
from safeload.container.source import allocate, open_source
from safeload.errors import CodecError, SafeloadError
from safeload.keys import Secret, audience_from, signer_from, trust_or_own
from safeload.limits import DEFAULT_LIMITS, Limits
from safeload.policy import Policy
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from safeload.container.manifest import Manifest
    from safeload.keys import Identity, Recipient, Signer, TrustStore
    from safeload.policy.needs import Needs

    Recipients = Iterable[Recipient | str | os.PathLike[str]] | Recipient | str | os.PathLike[str]

__all__ = [
    "PolicyWarning",
    "convert",
    "dump",
    "export_oms",
    "inspect",
    "load",
    "load_untrusted",
    "needs",
    "pack",
    "rewrap",
    "sign",
    "unpack",
    "verify",
]

StrPath = str | os.PathLike[str]
File = StrPath | IO[bytes]
Compress = int | bool | str | tuple[str, int | None]


def dump(
    value: Any,
    filename: File,
    compress: Compress = 0,
    protocol: int | None = None,
    *,
    signer: Signer | StrPath | None = None,
    codec: str | None = None,
    digest: str = "blake3",
    recipients: Recipients | None = None,
    passphrase: str | bytes | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
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
        Pickle protocol, 0 to 5; None is Python's default, and 5 for ``codec="pickle"``.
    signer
        A Signer, or the path of a private or HMAC key. None: the path in ``SAFELOAD_KEY``, or the key in
        ``SAFELOAD_KEY_PEM``.
    codec
        How the object is kept; None chooses by its type. ``"numpy"``: an array, or a dict of arrays, as ``.npy``
        members. ``"torch"``: a module's state, or what is made of tensors, as numbers. ``"keras"``: a model, as Keras
        archives it. ``"onnx"``: a ``ModelProto``. ``"joblib"``: anything else. Never by itself: ``"pickle"``, with
        large arrays beside the stream; ``"skops"``; ``"safetensors"`` for a dict of tensors or arrays.
    digest
        ``"blake3"`` or ``"sha256"``.
    recipients
        Who may read: Recipient objects or paths of ``.recipient`` files; an empty list is an error. With None, and
        without a passphrase, the file is signed and not encrypted. The manifest (names, sizes, metadata) never is.
    passphrase
        In place of recipients: who knows it may read.
    metadata
        JSON that is signed with the model; ``hyperparameters`` is added from ``value.get_params()``.
    name
        What the model is called, such as ``"churn"`` or ``"fraud/cards"``: a trust store can say who may sign it.

    Raises NoSignerError, KeyFileError, CodecError for what cannot be pickled, ValueError, OSError.
    """
    writing = _writing(signer, compress, digest, recipients, passphrase)
    return dump_object(value, filename, writing, json_object(metadata), model_info(name), protocol, codec)


def _writing(
    signer: Signer | StrPath | None,
    compress: Compress,
    digest: str,
    recipients: Recipients | None,
    passphrase: str | bytes | None,
    *,
    warn: bool = True,
) -> Writing:
    compression, audience = choose_compression(compress), audience_from(recipients, passphrase)
    return Writing(signer_from(signer), compression, digest, audience, warn)


def pack(
    path: StrPath,
    filename: File,
    compress: Compress = 0,
    *,
    signer: Signer | StrPath | None = None,
    digest: str = "blake3",
    recipients: Recipients | None = None,
    passphrase: str | bytes | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Manifest:
    """Sign an existing model file or folder as it is, byte for byte; :func:`unpack` gives it back.

    Of a folder its files and empty folders are kept; times and permissions are not. Links and devices in it are
    refused, and so are names that mean something else on another system.

    A signature says who, not that it is safe: what the default policy would not load is warned of and not refused.
    Parameters as in :func:`dump`.
    """
    writing = _writing(signer, compress, digest, recipients, passphrase)
    return save(filename, parts_of(path), writing, json_object(metadata), model_info(name))


def sign(filename: StrPath, *, signer: Signer | StrPath | None = None, detached: StrPath | None = None) -> None:
    """Add one more signature to a file, whose payload is checked against its manifest first.

    With `detached` it is written into the file of that name, beside those that are there, and the artifact stays as it
    is; whoever verifies names that file as `signature`.
    Raises FormatError, DigestMismatchError, AlreadySignedError, NoSignerError, KeyFileError, DetachedSignatureError.
    """
    if detached is None:
        add_signature(os.fspath(filename), signer_from(signer))
        return
    with UnverifiedArtifact(filename) as unverified:
        add_detached(unverified, signer_from(signer), detached)


def export_oms(filename: StrPath, output: StrPath | None = None, *, signer: Signer | StrPath | None = None) -> Path:
    """Write a bundle of OpenSSF Model Signing v1 that vouches for the file, in the folder that holds it.

    The payload is checked against the manifest first, as by :func:`sign`; who signed the file is not. `output` is by
    default ``model.sig`` beside the file; where it was written is returned. A signature that is added to the file
    afterwards changes it, and then the bundle does not hold any more.
    Raises FormatError, DigestMismatchError, NoSignerError, KeyFileError; AlgorithmError if the key is not ECDSA P-256.
    """
    return export_bundle(os.fspath(filename), output, signer_from(signer))


def rewrap(
    filename: StrPath,
    *,
    recipients: Recipients | None = None,
    new_passphrase: str | bytes | None = None,
    signer: Signer | StrPath | None = None,
    trust: TrustStore | StrPath | None = None,
    identity: Identity | StrPath | None = None,
    passphrase: str | bytes | None = None,
) -> Manifest:
    """Change who may read an encrypted file, without touching its payload; the manifest is signed anew.

    `recipients` or `new_passphrase` are all who may read from now on; `identity` or `passphrase` opens the file as it
    is, once its signature holds: one of `trust`, or where nobody said whose count, that of `signer` itself. `signer`
    becomes the one whose signature `load` demands; signatures that were on the file go. Whoever could read before may
    have kept the key, or a copy: to shut somebody out, save anew.
    Raises ValueError for nobody to read, VerificationError, FormatError, DecryptionError, KeyFileError.
    """
    audience = audience_from(recipients, new_passphrase)
    if audience is None:
        raise ValueError("rewrap needs recipients or new_passphrase: nobody could read the file otherwise")
    secret, signer = Secret(identity, passphrase), signer_from(signer)
    return rewrap_file(os.fspath(filename), signer, audience, trust_or_own(trust, signer), secret)


def inspect(filename: File, *, limits: Limits = DEFAULT_LIMITS) -> UnverifiedArtifact:
    """Open a file without believing it: ``.claimed`` is what it says of itself. Raises FormatError."""
    return UnverifiedArtifact(filename, limits=limits)


def verify(
    filename: File,
    *,
    trust: TrustStore | StrPath | None = None,
    signature: StrPath | Sequence[StrPath] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Artifact:
    """Check signatures and every byte of the payload; returns the Artifact, which alone can be loaded.

    `trust` is a TrustStore, a folder of ``.pub`` files, or one ``.pub`` or ``.hmac`` file; None is the path in
    ``SAFELOAD_TRUST``. `signature` is a file of further signatures, which :func:`sign` wrote with ``detached=``, or
    several; they are never looked for. Raises VerificationError, FormatError, NoTrustError, KeyFileError, OSError.
    """
    return checked(authenticate(filename, trust, signature, limits))


def load(
    filename: File,
    mmap_mode: str | None = None,
    *,
    trust: TrustStore | StrPath | None = None,
    policy: Policy | None = None,
    identity: Identity | StrPath | None = None,
    passphrase: str | bytes | None = None,
    environment: str = "compatible",
    signature: StrPath | Sequence[StrPath] | None = None,
    into: Any = None,
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
    identity
        Who reads an encrypted file: an Identity or the path of an ``.identity`` file; None is the path in
        ``SAFELOAD_IDENTITY``. A file that is not encrypted needs none.
    passphrase
        That of a file that was encrypted with one.
    environment
        What other versions than at the time of saving do: ``"exact"`` refuses, ``"compatible"`` warns, ``"ignore"``.
    signature
        As in :func:`verify`.
    into
        What takes the state in, and is returned: a ``torch.nn.Module`` for the state of one.

    Raises VerificationError, FormatError, DecryptionError, PolicyError, CodecError, NoTrustError, OSError.
    """
    check_options(mmap_mode, policy)
    with authenticate(filename, trust, signature, limits) as artifact:
        return artifact.load(
            mmap_mode, policy=policy, environment=environment, identity=identity, passphrase=passphrase, into=into
        )


def load_untrusted(
    source: File, mmap_mode: str | None = None, *, policy: Policy | None = None, limits: Limits = DEFAULT_LIMITS
) -> Any:
    """Rebuild the object in a plain pickle or joblib file, compressed or not, that nobody signed.

    The same analysis, policy and unpickler as in :func:`load`. Files of other programs are looked into as by
    :func:`scan`, and then loaded by the framework itself: ``.npy`` and ``.npz`` without objects, PyTorch's state dicts
    (``weights_only``), Keras' archives, ONNX (as a ``ModelProto``).
    Raises PolicyError, CodecError, LimitError, OSError.
    """
    check_options(mmap_mode, policy)
    return _rebuilt(source, mmap_mode, policy, limits)[0]


def _rebuilt(source: File, mmap_mode: str | None, policy: Policy | None, limits: Limits) -> tuple[Any, str | None]:
    """The object of a plain file, and the codec that keeps it as it was kept there; None lets its type choose."""
    name = file_name(source)
    opened = open_source(source)
    try:
        memory = allocate(opened.size)
        opened.read_into(0, memory)
    finally:
        opened.close()
    if bytes(memory[: len(MAGIC)]) == MAGIC:
        raise CodecError(f"{printable(name)} is a safeload file already", hint="safeload.load(), with a trust store")
    options = LoadOptions(policy=policy or Policy.untrusted(), mmap_mode=mmap_mode, limits=limits)
    held = Held("", "joblib", lambda: memory)
    try:
        foreign = load_foreign(memory, held, options)
        return (CODECS["joblib"].load([held], options), "joblib") if foreign is None else (foreign[0], None)
    except SafeloadError as error:
        error.locate(name)
        raise


def needs(source: File, *, policy: Policy | None = None, limits: Limits = DEFAULT_LIMITS) -> Needs:
    """What stands between a file and loading it under `policy`, found without loading or importing anything of it.

    `source` is a plain pickle or joblib file, compressed or not, or an artifact, whose signatures are not looked at.
    `policy` is what may load; None is ``Policy.default()``. Nothing is promised of values: contracts look at them while
    an object is rebuilt. Raises OSError, and StreamError, CodecError, FormatError or LimitError for what cannot be read
    to its end.
    """
    check_options(None, policy)
    return needs_of_file(source, policy or Policy.default(), limits)


def unpack(
    filename: File,
    destination: StrPath,
    *,
    trust: TrustStore | StrPath | None = None,
    identity: Identity | StrPath | None = None,
    passphrase: str | bytes | None = None,
    signature: StrPath | Sequence[StrPath] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Artifact:
    """Verify, then write what the file holds: one member as the file `destination`, several as a folder of that name.

    A model that :func:`dump` saved comes out as an uncompressed joblib stream; what :func:`pack` took comes back
    byte for byte. Returns the artifact, closed, which still says who signed and what the manifest holds.
    `identity` and `passphrase` as in :func:`load`. Raises VerificationError, FormatError, DecryptionError,
    NoTrustError, OSError.
    """
    with authenticate(filename, trust, signature, limits) as artifact:
        unpack_into(artifact, destination, identity, passphrase)
    return artifact


def convert(
    source: File,
    filename: File,
    compress: Compress = 0,
    protocol: int | None = None,
    *,
    signer: Signer | StrPath | None = None,
    policy: Policy | None = None,
    digest: str = "blake3",
    recipients: Recipients | None = None,
    passphrase: str | bytes | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Manifest:
    """Rebuild the object of a plain file under guard and save it signed. Parameters as in the two functions it joins.

    Raises PolicyError and CodecError before anything is written.
    """
    writing = _writing(signer, compress, digest, recipients, passphrase, warn=policy is None)
    check_options(None, policy)
    value, codec = _rebuilt(source, None, policy, DEFAULT_LIMITS)
    return dump_object(value, filename, writing, json_object(metadata), model_info(name), protocol, codec)
