"""What a campaign counted, and how that is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.run import Death

__all__ = ["Figures"]


@dataclass(slots=True)
class Figures:
    """Outcomes of mutants, altogether and by family."""

    loader: str
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    families: Counter[tuple[str, str]] = field(default_factory=Counter)
    deaths: list[Death] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        self.outcomes += other.outcomes
        self.families += other.families
        self.deaths += other.deaths

    def text(self) -> str:
        total = self.outcomes.total() + len(self.deaths)
        signals = Counter(death.signal for death in self.deaths)
        stray = sum(not death.alone for death in self.deaths)
        rows = [
            f"loader      {self.loader}",
            f"mutants     {total:,} in {self.seconds:.0f} s, {total / max(self.seconds, 0.1):.0f} a second",
            *(f"{kind:<11} {count:,}" for kind, count in self.outcomes.most_common()),
            *(f"{name:<11} {count:,}" for name, count in signals.most_common()),
            f"deaths      {len(self.deaths)}, of them {stray} that a single mutant does not repeat",
            "",
            f"{'family':<55}{'accepted':>9}{'refused':>9}{'deaths':>8}",
        ]
        for name in sorted({name for name, _ in self.families}):
            accepted, refused, died = (self.families[name, kind] for kind in ("accepted", "refused", "death"))
            rows.append(f"{name[:54]:<55}{accepted:>9}{refused:>9}{died:>8}")
        return "\n".join(rows)
