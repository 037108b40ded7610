"""The skops codec: a file of skops, looked into, and loaded by skops with the types that the policy allows.

skops does not check values: trees and their kin can be such that using them reads elsewhere. So only a file that is
signed by somebody who counts is loaded; and a model that is kept by joblib is checked more strictly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing, only
from safeload.codecs.checked import check_file
from safeload.codecs.private import private_copy
from safeload.errors import CodecError
from safeload.readers.observations import GlobalUse, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.policy import Policy

__all__ = ["SKOPS"]

_KIND, _MEMBER = "skops.file", "model.skops"


def _parts(value: Any, protocol: int | None) -> list[Part]:
    try:
        data = _skops().dumps(value)
    except (TypeError, ValueError, AttributeError, NotImplementedError, RecursionError) as error:
        raise CodecError(f"skops cannot keep a {type(value).__name__}: {printable(str(error), 300)}") from error
    return [Part(_MEMBER, lambda file: file.write(data), _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    with private_copy(member, _MEMBER, options) as (path, view):
        check_file(view, member, options)
        del view
        skops = _skops()
        try:
            asked = skops.get_untrusted_types(file=path)
            return skops.load(path, trusted=[name for name in asked if _allows(options.policy, name)])
        except Exception as error:  # of skops, zipfile, json and whatever is rebuilt
            raise CodecError(f"skops cannot load this: {printable(str(error), 300)}") from error


def _allows(policy: Policy, path: str) -> bool:
    module, _, name = path.rpartition(".")
    used = (GlobalUse(module, name, 0, use, module, name) for use in (Use.INSTANTIATED, Use.CALLED))
    return not all(map(policy.denied, used))  # a pickle makes some classes by instantiating, others by a call


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise missing("a file of skops", "skops") from error
    return skops.io


SKOPS = Codec("skops", ("skops", "sklearn"), lambda value: False, _parts, _load)
