"""docs/trust.md: when, for which models and together with whom a key counts, at the second of each boundary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from testkit.container import OTHER, STRANGER, TEST, Draft, Sealed, draft, record
from testkit.vector import Vector, accepted, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE, NOON = "2026-06-01T11:59:59Z", "2026-06-01T12:00:00Z"
BOTH = "ed25519+other"


def vectors() -> Iterator[Vector]:
    yield from lifetimes()
    yield from scopes()
    yield from thresholds()


def listed(*said: str, key: bytes = TEST.keyid) -> str:
    return "".join(f"{line}\n" for line in ("[[key]]", f'keyid = "{key.hex()}"', *said))


def ledger(*parts: str) -> str:
    return "version = 1\n" + "".join(parts)


def role(threshold: int, *keys: bytes, name: str = "release", models: str = "") -> str:
    keyids = ", ".join(f'"{key.hex()}"' for key in keys)
    lines = ("[[role]]", f'name = "{name}"', f"threshold = {threshold}", f"keyids = [{keyids}]")
    return "".join(f"{line}\n" for line in (*lines, *([f"models = {models}"] if models else [])))


def named(name: str | None) -> Draft:
    return draft().put("model", None if name is None else {"name": name, "version": None, "expires": None})


def signed_by(rough: Draft, *signers: object) -> Sealed:
    return rough.seal(signers=signers)  # type: ignore[arg-type]


def lifetimes() -> Iterator[Vector]:
    rough = draft()
    for name, said, good, bad in (
        ("valid-from", f"valid-from = {NOON}", NOON, BEFORE),
        ("valid-until", f"valid-until = {NOON}", BEFORE, NOON),
        ("revoked", f"revoked-at = {NOON}", BEFORE, NOON),
    ):
        text = ledger(listed(said))
        slug = "key-revoked" if name == "revoked" else "key-lifetime"
        yield replace(
            accepted(f"key-{name}-good", f"{said}: the second that still counts.", rough), ledger=text, now=good
        )
        yield replace(refused(f"key-{name}-bad", slug, f"{said}: the second beside it.", rough), ledger=text, now=bad)
    text = ledger(listed(f"revoked-at = {NOON}"), listed(key=OTHER.keyid))
    file = signed_by(rough, TEST, OTHER)
    about = "A revoked key and one that counts signed."
    yield replace(accepted("key-revoked-and-good", about, rough, file, trust=BOTH), ledger=text, now=NOON)
    broken = signed_by(rough, TEST, OTHER)
    broken.records[0].sig = bytes(64)
    about = "What a revoked key signed is not looked at, be it wrong."
    yield replace(accepted("key-revoked-wrong-and-good", about, rough, broken, trust=BOTH), ledger=text, now=NOON)
    text = ledger(listed(f"valid-until = {NOON}"), listed(f"revoked-at = {NOON}", key=OTHER.keyid))
    about = "An expired and a revoked key signed: that one was revoked is said."
    yield replace(refused("key-expired-and-revoked", "key-revoked", about, file, trust=BOTH), ledger=text, now=NOON)
    text = ledger(listed(key=OTHER.keyid))
    about = "The key lies in the folder, and trust.toml does not list it."
    yield replace(refused("key-not-listed", "untrusted-signer", about, rough, trust=BOTH), ledger=text, now=NOON)


def scopes() -> Iterator[Vector]:
    text = ledger(listed('models = ["churn", "fraud/*"]'))
    for name, model in (("exact", "churn"), ("pattern", "fraud/cards")):
        rough = named(model)
        yield replace(accepted(f"scope-{name}", f"The key may sign {model}.", rough), ledger=text, now=NOON)
    for slug, other in (("other", "chum"), ("deeper", "fraud/a/b"), ("above", "fraud"), ("none", None)):
        about = f"The key may not sign {other or 'a model without a name'}."
        yield replace(refused(f"scope-{slug}", "out-of-scope", about, named(other)), ledger=text, now=NOON)


def thresholds() -> Iterator[Vector]:
    keys = TEST.keyid, OTHER.keyid
    text = ledger(listed(), listed(key=OTHER.keyid), role(2, *keys))
    rough = draft()
    two = signed_by(rough, TEST, OTHER)
    yield replace(accepted("threshold-two", "Two of two signed.", rough, two, trust=BOTH), ledger=text, now=NOON)
    turned = signed_by(rough, OTHER, TEST)
    about = "Two of two, in the other order."
    yield replace(accepted("threshold-turned", about, rough, turned, trust=BOTH), ledger=text, now=NOON)
    for name, about, file in (
        ("one", "One of two signed.", signed_by(rough, TEST)),
        ("stranger", "One of two, and a stranger.", signed_by(rough, TEST, STRANGER)),
        ("other-id", "One key under a second id.", second_id(rough)),
    ):
        yield replace(refused(f"threshold-{name}", "threshold", about, file, trust=BOTH), ledger=text, now=NOON)
    revoked = ledger(listed(), listed(f"revoked-at = {NOON}", key=OTHER.keyid), role(2, *keys))
    about = "Two of two, and one was revoked."
    yield replace(refused("threshold-revoked", "threshold", about, two, trust=BOTH), ledger=revoked, now=NOON)
    churn = ledger(listed(), listed(key=OTHER.keyid), role(2, *keys, models='["churn"]'))
    about = "No role is for a model of this name: it is not that one signature is enough."
    file = signed_by(named("chum"), TEST, OTHER)
    yield replace(refused("threshold-no-role", "threshold", about, file, trust=BOTH), ledger=churn, now=NOON)


def second_id(rough: Draft) -> Sealed:
    """The same key, signing once more under an id that nobody knows."""
    file = signed_by(rough, TEST)
    again = record(TEST, rough.raw())
    again.keyid = bytes([again.keyid[0] ^ 1]) + again.keyid[1:]
    file.records.append(again)
    return file
