"""What a mutation starts from: one object, by each writer, taken apart."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import joblib

from fuzz.nodes import Tree, parse
from fuzz.tokens import read
from testkit.estimators import outputs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "WRITERS", "Family"]

KINDS = ("sklearn", "members", "plain", "pandas", "scipy", "boosters")


@dataclass(slots=True, repr=False)  # pytest would show all nodes, each with all around it
class Family:
    """One object, data to predict with, and the object as each writer writes it."""

    name: str
    value: Any
    data: Any
    kind: str = "sklearn"
    signed: bool = False  # only the policy for verified files has it
    answers: Callable[[Any, Any], list[Any]] = outputs
    writers: tuple[str, ...] = ("pickle 2", "pickle 4", "pickle 5", "joblib")
    written: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)

    def complete(self) -> Family:
        self.written = {writer: WRITERS[writer](self.value) for writer in self.writers}
        self.trees = {writer: parse(read(written)) for writer, written in self.written.items()}
        return self


def _joblib(value: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "pickle 2": lambda value: pickle.dumps(value, 2),
    "pickle 4": lambda value: pickle.dumps(value, 4),
    "pickle 5": lambda value: pickle.dumps(value, 5),
    "joblib": _joblib,
}
