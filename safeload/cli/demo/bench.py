"""What the steps of the demo hand to one another."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safeload.cli.demo.models import MODELS
from safeload.cli.wording import duration, size

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Bench", "Fitted", "Loaded"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """`predictions` is the fingerprint of what the model says of data that it did not see."""

    model: Any
    accuracy: float
    predictions: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a fresh process found: seconds for each way of loading."""

    joblib: float
    safeload: float


@dataclass(slots=True)
class Bench:
    """The folder, and what the steps so far have made in it."""

    folder: Path
    fitted: dict[str, Fitted] = field(default_factory=dict)
    loaded: dict[str, Loaded] = field(default_factory=dict)

    @property
    def key(self) -> Path:
        return self.folder / "team.key"

    @property
    def trust(self) -> Path:
        return self.folder / "keys"

    @property
    def marker(self) -> Path:
        """What a payload that runs would leave behind."""
        return self.folder / "MARKER"

    def signed(self, name: str) -> Path:
        return self.folder / f"{name}.safeload"

    def plain(self, name: str) -> Path:
        return self.folder / f"{name}.joblib"

    def copy(self, name: str) -> Path:
        """A copy of the signed digits, to be spoiled."""
        return shutil.copyfile(self.signed("digits"), self.signed(name))

    def figures(self) -> list[tuple[str, ...]]:
        """A row for each model."""
        return [
            (
                MODELS[name].title,
                f"{100 * fitted.accuracy:.1f} %",
                size(self.signed(name).stat().st_size),
                duration(self.loaded[name].joblib),
                duration(self.loaded[name].safeload),
            )
            for name, fitted in self.fitted.items()
        ]
