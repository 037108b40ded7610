"""docs/format.md, section 7.4: which of a file's signatures count, and whether they hold."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from safeload.errors import BadSignatureError, RevokedKeyError, UnsignedError, UntrustedSignerError
from safeload.keys.algorithms import ALGORITHMS, NUMBERS, algorithm_name
from safeload.keys.keyid import short
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safeload.errors import KeyRefusedError
    from safeload.keys.trusted import TrustedKey

__all__ = ["Record", "check_records"]

_NAMED_AT_MOST = 3
_NOTHING: Mapping[str, KeyRefusedError] = MappingProxyType({})


class Record(Protocol):
    """A signature record: ``keyid`` in lower-case hexadecimal, ``alg`` unchecked, and None where none is stated."""

    @property
    def keyid(self) -> str: ...
    @property
    def alg(self) -> int | None: ...
    @property
    def signature(self) -> bytes: ...


def check_records(
    trusted: Mapping[str, TrustedKey],
    message: bytes,
    records: Sequence[Record],
    *,
    name: str,
    store: str,
    hint: str,
    refused: Mapping[str, KeyRefusedError] = _NOTHING,
) -> tuple[TrustedKey, ...]:
    """The keys of `trusted` (by keyid) that signed `message`, in the order of `records`, each once.

    `name`, `store` and `hint` are for messages, printable. Signatures of keys in `refused` do not count: where none is
    left, its error is raised. Raises UnsignedError, UntrustedSignerError, BadSignatureError; the last one whatever
    other records say.
    """
    if not records:  # step 1
        raise UnsignedError(f"{name} bears no signature", hint="ask whoever made it for the signed file")
    signers: dict[str, TrustedKey] = {}
    for record in records:
        key = trusted.get(record.keyid)
        # Nobody knows who signs with a key that was revoked: what it says, good or bad, is not looked at.
        if key is None or key.keyid in refused:  # step 2
            continue
        _check(key, message, record, name)  # step 3
        signers[key.keyid] = key
    if not signers and (refusal := _first(refused, records)):
        raise refusal
    if not signers:
        keyids = [record.keyid for record in records]
        whose = _listed([short(keyid) for keyid in keyids])
        raise UntrustedSignerError(
            f"{name} is signed by {whose}, which {store} does not trust",
            keyids=keyids,
            hint=hint.replace("{first}", short(keyids[0]).rstrip(".")),
        )
    return tuple(signers.values())  # step 4


def _first(refused: Mapping[str, KeyRefusedError], records: Sequence[Record]) -> KeyRefusedError | None:
    """What to say where no signature counts: that a key was revoked, before anything else."""
    found = [refused[record.keyid] for record in records if record.keyid in refused]
    return next((each for each in found if isinstance(each, RevokedKeyError)), found[0] if found else None)


def _check(key: TrustedKey, message: bytes, record: Record, name: str) -> None:
    """Raise BadSignatureError unless `record` is `key`'s signature. The key names the algorithm, the record never."""
    who = f"{printable(key.name)} ({short(key.keyid)})"
    known = ALGORITHMS[NUMBERS[key.algorithm]]
    if record.alg is not None and ALGORITHMS.get(record.alg) is not known:
        raise BadSignatureError(
            f"{name} calls its signature by {who} {algorithm_name(record.alg)}, and that key is for {key.algorithm}",
            keyid=key.keyid,
        )
    right_length = known.least <= len(record.signature) <= known.most
    if not right_length or not key.verify(message, record.signature):
        raise BadSignatureError(
            f"the signature by {who} on {name} does not verify: the file is not what that key signed",
            keyid=key.keyid,
            hint="fetch the file again from where it was signed",
        )


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b, c and 4 more``."""
    if len(names) > _NAMED_AT_MOST:
        return f"{', '.join(names[:_NAMED_AT_MOST])} and {len(names) - _NAMED_AT_MOST} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
