"""Trust in one's own signature: who signs a file anew need not say that they trust themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.keys import environment
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.resolve import trust_from
from safeload.keys.signer import HmacSigner, KeySigner, RemoteSigner
from safeload.keys.trust import TrustStore
from safeload.keys.trusted import TrustedKey

if TYPE_CHECKING:
    import os

    from safeload.keys.signer import Signer

__all__ = ["trust_or_own"]

_NAME = "the key that signs"


def trust_or_own(value: TrustStore | str | os.PathLike[str] | None, signer: Signer) -> TrustStore:
    """What `trust_from` gives; where nobody said whose signatures count, those of `signer` alone.

    A signer of the caller's own class has no public half here. Raises what `trust_from` raises.
    """
    if value is None and environment.get(environment.TRUST) is None:
        if isinstance(signer, HmacSigner):
            return TrustStore((TrustedKey(HMAC_SHA256, signer._secret, _NAME),), _NAME)
        if isinstance(signer, (KeySigner, RemoteSigner)):
            return TrustStore((TrustedKey(*signer.public, _NAME),), _NAME)
    return trust_from(value)
