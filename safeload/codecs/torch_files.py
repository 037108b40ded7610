"""Files that ``torch.save`` wrote: looked into first, then read by torch's loader of weights, which takes only those.

Source: torch/serialization.py.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import missing
from safeload.codecs.checked import check_parts
from safeload.errors import CodecError
from safeload.policy import Policy
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.codecs.base import Held
    from safeload.readers.files.parts import Part

__all__ = ["is_legacy", "load_file"]

# This is how PyTorch below 1.6 begins: a number, pickled.
_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_STATE = (
    "no policy has a module unpickled: torch.save(model.state_dict(), path) keeps its numbers, and "
    "load(..., into=model) or model.load_state_dict takes them"
)
_PLAIN = "tensors, numbers and texts of Python's own are loaded: float(value), torch.as_tensor(array)"
_REFUSED = re.compile(r"Unsupported (?:global|class|operand)[: ]+(?:GLOBAL )?([\w.]+)")


def is_legacy(view: memoryview) -> bool:
    """Whether it begins as a file of PyTorch below 1.6 does."""
    return bytes(view[: len(_LEGACY)]) == _LEGACY


def load_file(view: memoryview, held: Held, parts: list[Part]) -> Any:
    """What was saved, given what our readers found in it. Raises UnsafeFileError, CodecError, MissingExtraError."""
    # Its pickle names what torch makes tensors of, which no policy for loading has: torch itself reads it.
    check_parts(parts, held, Policy.audit(), not_allowed=_STATE)
    try:
        import torch
    except ImportError as error:
        raise missing("a file of PyTorch", "torch", "; safeload unpack gives the file") from error
    try:
        return torch.load(io.BytesIO(view), map_location="cpu", weights_only=True)
    except Exception as error:  # pickle.UnpicklingError, RuntimeError and whatever a state is not made for
        raise _said(str(error)) from error


def _said(text: str) -> CodecError:
    """Torch's advice goes on for a page, in colours, and is to switch the protection off."""
    refused = _REFUSED.search(text)
    if refused:
        return CodecError(f"torch's loader of weights does not take {printable(refused[1], 200)}", hint=_PLAIN)
    return CodecError(f"torch cannot load this: {printable(text.partition(chr(10))[0], 300)}")
