"""One look at a file and at all that is in it: how deep, how much, how many, over the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safeload.errors import LimitError
from safeload.readers.files.parts import Observation, Part, Span
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.limits import ScanLimits
    from safeload.readers.observations import GlobalUse

__all__ = ["Budget", "Look"]

_OBSERVATIONS_MAX = 1_000  # of one part: a file can name a million globals
_SPANS_MAX = 2_000


class Budget:
    """What reading one file may still cost."""

    def __init__(self, limits: ScanLimits, size: int) -> None:
        self.limits, self.size = limits, size
        self._expanded = limits.expanded(size)
        self._members = limits.members

    def expand(self, size: int) -> None:
        """So many bytes more were, or will be, made. Raises LimitError."""
        self._expanded -= size
        if self._expanded < 0:
            raise LimitError("expansion", "what is packed in the file is larger than the limits allow")

    @property
    def left(self) -> int:
        return self._expanded

    def enter(self, depth: int) -> None:
        """One more file, packed in `depth` others. Raises LimitError."""
        if depth >= self.limits.depth:
            raise LimitError("depth", f"files are packed in one another more than {self.limits.depth} deep")
        self._members -= 1
        if self._members < 0:
            raise LimitError("members", f"more than {self.limits.members:,} files are packed in the file")


class Look:
    """Given to a reader: the part that it reads, and the way to look into what is packed there."""

    def __init__(
        self,
        part: Part,
        parts: list[Part],
        budget: Budget,
        reader: Callable[[Look, memoryview, str], None],
        watch: frozenset[tuple[str, str]],
        *,
        packed: bool = False,
    ) -> None:
        self.part, self.parts, self.budget, self.watch, self.packed = part, parts, budget, watch, packed
        self._unread = 0
        self._said: set[tuple[str, str]] = set()
        self._reader = reader

    def use(self, used: GlobalUse) -> None:
        """A global: kept once for each way of using it."""
        key = used.module, used.name
        known = self.part.globals.get(key)
        if known is not None and used.use in known.use:
            return
        self.part.globals[key] = used if known is None else replace(used, use=used.use | known.use)
        self.say("global", used.offset, printable(used.path), used=used)

    def say(self, kind: str, offset: int, text: str, **more: object) -> None:
        if len(self.part.observations) < _OBSERVATIONS_MAX:
            self.part.observations.append(Observation(kind, offset, text, **more))  # type: ignore[arg-type]
        elif len(self.part.observations) == _OBSERVATIONS_MAX:
            self.unread(offset, f"more than {_OBSERVATIONS_MAX:,} things are to be said of it")

    def once(self, kind: str, offset: int, text: str) -> None:
        """The same as `say`, but not a second time in the same words."""
        if (kind, text) not in self._said and len(self._said) < _OBSERVATIONS_MAX:
            self._said.add((kind, text))
            self.say(kind, offset, text)

    def unread(self, offset: int, text: str, *, extra: str = "") -> None:
        """Something that counts against calling the file clean: one of them is always kept."""
        self._unread += 1
        if self._unread <= _OBSERVATIONS_MAX:
            self.part.observations.append(Observation("unread", offset, text, extra=extra))

    def span(self, start: int, end: int, what: str, label: str = "") -> None:
        if len(self.part.spans) < _SPANS_MAX:
            self.part.spans.append(Span(start, end, what, label))

    def into(self, name: str, view: memoryview, start: int = 0, *, kind: str = "", packed: bool = False) -> Part | None:
        """Look into `view`, which stands at `start` of this part under `name`. None where the limits end it.

        `kind` is what loaders take it for, whatever it begins with; `packed` says that it was compressed.
        """
        try:
            self.budget.enter(len(self.part.path))
        except LimitError as error:
            self.unread(start, error.message)
            return None
        part = Part((*self.part.path, printable(name)), "", start, len(view), view=view)
        self.parts.append(part)
        packed = packed or self.packed
        self._reader(Look(part, self.parts, self.budget, self._reader, self.watch, packed=packed), view, kind)
        return part
