"""What stands for every global while CPython reads a stream that nobody believes."""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["Inert"]


class Inert:
    """Takes whatever it is given, and does nothing with it."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Inert:
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __call__(self, *args: Any) -> Inert:
        raise pickle.UnpicklingError("a value is called")

    def append(self, value: Any) -> None: ...

    def extend(self, values: Any) -> None: ...

    def add(self, value: Any) -> None: ...
