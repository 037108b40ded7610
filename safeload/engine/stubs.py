"""Inert stand-ins: the stream builds these, and at the checkpoint plain Python makes the real object.

numpy's own ``__setstate__`` trusts its state: a forged dtype turns file bytes into object pointers, a short
list behind an object array is read past its end. Here arguments and state are only kept.
"""

from __future__ import annotations

from typing import Any, ClassVar

from safeload.errors import CodecError

__all__ = ["ArrayStub", "DTypeStub", "Stub", "WrapperStub"]


class Stub:
    """Keeps what it was made with, and the state that BUILD gave it, once."""

    __slots__ = ("args", "state")
    what: ClassVar[str] = "object"

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise CodecError(f"an unfinished {self.what} cannot be used")


class DTypeStub(Stub):
    __slots__ = ()
    what = "numpy.dtype"


class ArrayStub(Stub):
    __slots__ = ()
    what = "numpy array"


class WrapperStub(Stub):
    __slots__ = ()
    what = "joblib array wrapper"
