"""Objects <-> members. `CODECS` says which kinds of member this version can load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.codecs.base import Codec
from safeload.codecs.joblib import JOBLIB

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODECS", "Codec"]

CODECS: Mapping[str, Codec] = {"joblib": JOBLIB}
