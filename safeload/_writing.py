"""The verbs that write a file: each is the specification's steps, in order."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from safeload.artifact import UnverifiedArtifact
from safeload.artifact.dumping import dump_object
from safeload.artifact.exporting import export_bundle
from safeload.artifact.naming import named_parts
from safeload.artifact.packing import parts_of
from safeload.artifact.rewrapping import rewrap_file
from safeload.artifact.saving import Writing, json_object, model_info, save
from safeload.artifact.signing import add_detached, add_signature
from safeload.container.encodings import choose_compression
from safeload.keys import Secret, audience_from, signer_from, trust_or_own

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from safeload.container.manifest import Manifest
    from safeload.keys import Identity, Recipient, Signer, TrustStore

    Recipients = Iterable[Recipient | str | os.PathLike[str]] | Recipient | str | os.PathLike[str]

__all__ = ["dump", "export_oms", "pack", "rewrap", "sign", "writing_of"]

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
        Any object that `joblib.dump` takes. With a `codec` of files, also the path of such a file or folder, which is
        kept as it is, as by :func:`pack`.
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
        archives it. ``"tensorflow"``: a ``tf.Module``, as a SavedModel. ``"onnx"``: a ``ModelProto``. ``"xgboost"``,
        ``"lightgbm"``, ``"catboost"``: a fitted model, in its library's format. ``"joblib"``: anything else. Never by
        itself: ``"pickle"``, with large arrays beside the stream; ``"skops"``; ``"safetensors"`` for a dict of tensors
        or arrays; ``"pmml"`` for a fitted model of scikit-learn; ``"hickle"`` for what that keeps without a pickle;
        ``"keras-h5"`` and ``"keras-json"`` for a model in HDF5, or in JSON with weights beside it.
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
    writing = writing_of(signer, compress, digest, recipients, passphrase)
    if isinstance(value, (str, os.PathLike)) and (parts := named_parts(value, codec)):
        return save(filename, parts, writing, json_object(metadata), model_info(name))
    return dump_object(value, filename, writing, json_object(metadata), model_info(name), protocol, codec)


def writing_of(
    signer: Signer | StrPath | None,
    compress: Compress,
    digest: str,
    recipients: Recipients | None,
    passphrase: str | bytes | None,
    *,
    warn: bool = True,
) -> Writing:
    """How a file is written, as arguments of :func:`dump` say it. Raises NoSignerError, KeyFileError, ValueError."""
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
    refused, and so are names that mean something else on another system. Files and folders of the formats that `codec`
    of :func:`dump` names can be loaded; of others :func:`unpack` gives the bytes.

    A signature says who, not that it is safe: what the default policy would not load is warned of and not refused.
    Parameters as in :func:`dump`.
    """
    writing = writing_of(signer, compress, digest, recipients, passphrase)
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
