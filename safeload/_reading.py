"""The verbs that read a signed file: each is the specification's steps, in order."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from safeload.artifact import Artifact, UnverifiedArtifact
from safeload.artifact.opened import authenticate, checked
from safeload.artifact.unpacking import unpack_into
from safeload.artifact.verified import check_options
from safeload.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.keys import Identity, TrustStore
    from safeload.policy import Policy

__all__ = ["inspect", "load", "unpack", "verify"]

StrPath = str | os.PathLike[str]
File = StrPath | IO[bytes]


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

    A model that :func:`dump` saved comes out as an uncompressed joblib stream, or in its framework's format; what
    :func:`pack` took comes back byte for byte. Returns the artifact, closed, which still says who signed and what the
    manifest holds. `identity` and `passphrase` as in :func:`load`.
    Raises VerificationError, FormatError, DecryptionError, NoTrustError, OSError.
    """
    with authenticate(filename, trust, signature, limits) as artifact:
        unpack_into(artifact, destination, identity, passphrase)
    return artifact
