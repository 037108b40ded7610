"""safeload's own files: whether a signature holds, and what their members are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.artifact import UnverifiedArtifact
from safeload.container.encodings import IDENTITY
from safeload.container.frames import decode_member
from safeload.errors import LimitError, SafeloadError, UnsignedError, VerificationError
from safeload.kinds import NUMBERS, OUT_OF_BAND, is_empty_folder
from safeload.readers.files.kinds import kind_of
from safeload.readers.files.look import Budget, Look
from safeload.readers.files.parts import Observation, Part
from safeload.readers.files.pickles import names_something
from safeload.readers.files.table import is_numbers, numbers_beside, read_part
from safeload.readers.files.zips import NEVER_NUMBERS

if TYPE_CHECKING:
    from safeload.container.manifest import Member
    from safeload.keys import TrustStore
    from safeload.limits import ScanLimits

__all__ = ["read_artifact"]

_VARIABLES = re.compile(r"variables/variables\.data-\d{5}-of-\d{5}")


def read_artifact(
    name: str, view: memoryview, limits: ScanLimits, watch: frozenset[tuple[str, str]], trust: TrustStore | None
) -> list[Part]:
    """The parts of an artifact. Whether it is signed is one of its observations; whether it may be read, too."""
    part = Part((), "safeload", 0, len(view))
    parts = [part]
    look = Look(part, parts, Budget(limits, len(view)), read_part, watch)
    try:
        with UnverifiedArtifact(view) as opened:
            _members(look, opened, view)
            part.observations += _signature(opened, trust)
    except SafeloadError as error:
        look.unread(0, error.message.removeprefix(f"{name}: "))
    return parts


def _signature(opened: UnverifiedArtifact, trust: TrustStore | None) -> list[Observation]:
    """What there is to say of it: nothing, where it holds."""
    if trust is None:
        return [Observation("unchecked", 0, "the file is a signed artifact, and no signature was checked")]
    try:
        opened.verify(trust)
    except UnsignedError as error:
        return [Observation("unsigned", 0, error.message)]
    except VerificationError as error:
        return [Observation("signature", 0, error.message)]
    return []


def _members(look: Look, opened: UnverifiedArtifact, view: memoryview) -> None:
    prelude = opened.layout.prelude
    if opened.layout.encrypted:
        look.unread(prelude.payload_off, "the payload is encrypted: nobody can say what is in it without the key")
        return
    claimed = opened.claimed
    opened.table(claimed).check_all(opened.source, prelude.payload_off, lambda start, leaf: None)
    payload = view[prelude.payload_off : prelude.payload_off + prelude.payload_len]
    beside = any(member.kind == OUT_OF_BAND for member in claimed.members)
    named: frozenset[str] = frozenset()
    # A model of ONNX first: it says which files are its numbers.
    for member in sorted(claimed.members, key=lambda member: member.kind != "onnx.model"):
        start = prelude.payload_off + member.offset
        look.span(start, start + member.stored, "nested", member.name)
        try:
            plain = _plain(look, member, payload)
        except LimitError as error:
            look.unread(start, error.message)
            continue
        if member.kind == "onnx.model":
            named |= numbers_beside(plain, look.budget.limits)
        if is_empty_folder(member.kind) and not len(plain):
            continue
        # Unless somebody takes numbers for a pickle all the same.
        if not _is_numbers(look, member, plain, named):
            _look_into(look, member, plain, start, beside)


def _plain(look: Look, member: Member, payload: memoryview) -> memoryview:
    stored = payload[member.offset : member.offset + member.stored]
    if member.encoding == IDENTITY:
        return stored
    look.budget.expand(member.size)
    return decode_member(member, stored)


def _is_numbers(look: Look, member: Member, plain: memoryview, named: frozenset[str]) -> bool:
    if member.kind == "onnx.data":  # or another file of its folder
        return member.name in named and is_numbers(look, plain)
    is_variables = member.kind == "tensorflow.file" and _VARIABLES.fullmatch(member.name)
    if member.kind not in NUMBERS and not is_variables:
        return False
    return not names_something(look, plain) and kind_of(plain) not in NEVER_NUMBERS


def _look_into(look: Look, member: Member, plain: memoryview, start: int, beside: bool) -> None:
    part = look.into(member.name, plain, start)
    if part is not None and member.kind == "pickle" and beside:
        # The buffers that it asks for are members too: loading counts them.
        part.observations = [seen for seen in part.observations if seen.kind != "out-of-band"]
