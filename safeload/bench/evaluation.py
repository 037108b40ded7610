"""What was measured: for programs as fields and JSON, for people as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from safeload.text import duration, plural, printable, size

__all__ = ["Evaluation", "Row", "Seconds", "reason"]

_SAME = {True: "same", False: "differ", None: "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """The median of several runs; `least` and `most` are the fastest and the slowest of them."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return duration(self.median)

    @property
    def spread(self) -> str:
        """The fastest and the slowest: ``24-27 ms``."""
        (low, unit), (high, other) = duration(self.least).split(), duration(self.most).split()
        return f"{low}-{high} {other}" if unit == other else f"{low} {unit}-{high} {other}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way to keep the model. Where it is none, `reason` says why, and all that would be measured is None.

    `size` is in bytes. `same` says whether each bit of the answers is that of the verified model; None: nothing was
    asked, or the model does not answer twice alike.
    """

    name: str
    size: int | None = None
    load: Seconds | None = None
    predict: Seconds | None = None
    score: float | None = None
    same: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A model in a signed file, beside the same model in plain ones; made by :func:`safeload.evaluate`.

    `model` is the name of its type, `measure` that of the score; `signers` are those whose signatures hold. `score` is
    that of the model that was verified. `notes` say what to know before figures are compared.
    """

    file: str
    model: str
    codec: str
    signers: tuple[str, ...]
    repeats: int
    measure: str
    score: float | None
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> Row:
        """The row of ``"safeload"``, ``"joblib"`` or ``"pickle"``. Raises KeyError."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it: dicts, lists, texts, numbers, None."""
        found = asdict(self)
        return found | {"signers": [*self.signers], "rows": [*found["rows"]], "notes": [*self.notes]}

    @property
    def title(self) -> str:
        """What was measured, in a line."""
        signers = ", ".join(map(printable, self.signers)) or "nobody known"
        return f"{printable(self.file)}: {printable(self.model)}, kept by {self.codec}, signed by {signers}"

    @property
    def headers(self) -> list[str]:
        """Of the columns of :meth:`cells`."""
        asked = any(row.predict for row in self.rows)
        answers = ["predict", *([self.measure] if self.measure else []), "answers"] if asked else []
        return ["", "size", "load", "range", *answers]

    @property
    def cells(self) -> list[list[str]]:
        """The rows in words."""
        width = len(self.headers)
        return [(_cells(row, scored=bool(self.measure)) + ["-"] * width)[:width] for row in self.rows]

    @property
    def remarks(self) -> list[str]:
        """What stands below the table."""
        refused = [f"{row.name}: not possible: {row.reason}" for row in self.rows if row.reason]
        loads = f"medians of {plural(self.repeats, 'load')} each, in turns; the range is from fastest to slowest"
        return [loads, *self.notes, *refused]

    def __str__(self) -> str:
        lines = [self.headers, *self.cells]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  " + "  ".join(cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(pairs))
            for pairs in (list(zip(line, widths, strict=True)) for line in lines)
        ]
        return "\n".join([self.title, "", *(line.rstrip() for line in table), "", *self.remarks])


def reason(error: Exception) -> str:
    """Why a row is none, in the words of whoever raised."""
    return printable(f"{type(error).__name__}: {error}".replace("\n", " "), 300)


def _cells(row: Row, *, scored: bool) -> list[str]:
    """Without the answers where nothing was asked."""
    if row.size is None or row.load is None:
        return [row.name]
    cells = [row.name, size(row.size), str(row.load), row.load.spread]
    if row.predict is None:
        return cells
    score = ["-" if row.score is None else f"{row.score:.4f}"] if scored else []
    return [*cells, str(row.predict), *score, _SAME[row.same]]
