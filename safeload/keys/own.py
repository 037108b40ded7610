"""Trust in one's own signature: who signs a file anew need not say that they trust themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.hazmat import kinds
from safeload.hazmat.kinds import Key
from safeload.keys import environment
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.resolve import trust_from
from safeload.keys.signer import HmacSigner, KeySigner
from safeload.keys.trust import TrustStore
from safeload.keys.trusted import TrustedKey

if TYPE_CHECKING:
    import os

    from safeload.keys.signer import Signer

__all__ = ["trust_or_own"]

_NAME = "the key that signs"


def trust_or_own(value: TrustStore | str | os.PathLike[str] | None, signer: Signer) -> TrustStore:
    """What `trust_from` gives; where nobody said whose signatures count, those of `signer` alone.

    A signer whose key is elsewhere has no public half here. Raises what `trust_from` raises.
    """
    if value is None and environment.get(environment.TRUST) is None:
        if isinstance(signer, HmacSigner):
            return TrustStore((TrustedKey(HMAC_SHA256, signer._secret, _NAME),), _NAME)
        if isinstance(signer, KeySigner):
            public = kinds.public_key(Key(signer.algorithm, signer._secret))
            return TrustStore((TrustedKey(public.algorithm, public.raw, _NAME),), _NAME)
    return trust_from(value)
