"""The pmml codec: a fitted pipeline of scikit-learn as PMML; loading gives an evaluator, which runs in a JVM.

The member is the document as it was written. What the evaluator reads is written anew, from what was looked at.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, only
from safeload.codecs.checked import check_file
from safeload.codecs.pmml_document import rewrite
from safeload.codecs.pmml_java import evaluator_of
from safeload.codecs.private import private_file
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PMML"]

_KIND, _MEMBER = "pmml.file", "model.pmml"
# Where an evaluator has the document that it was made of: Java keeps none.
_DOCUMENT = "pmml"


def _takes(value: Any) -> bool:
    pypmml = sys.modules.get("pypmml")
    return pypmml is not None and hasattr(pypmml, "Model") and isinstance(value, pypmml.Model)


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if not _takes(value):
        from safeload.codecs.pmml_export import exported

        data = exported(value)
    elif hasattr(value, _DOCUMENT):
        data = getattr(value, _DOCUMENT)
    else:
        raise CodecError(
            "this evaluator does not have the document that it was made of",
            hint="pack takes the file as it is; what load returned can be dumped",
        )
    return [Part(_MEMBER, lambda file: file.write(data), _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    view = member.read()
    if (kind := check_file(view, member, options)[0].kind) != "pmml":
        raise CodecError(f"{printable(member.name)} is {printable(kind)}, and no PMML")
    with private_file(_MEMBER, options) as (path, file):
        text = io.TextIOWrapper(file, "utf-8", newline="")
        rewrite(view, text)
        text.flush()
        evaluator = evaluator_of(path)
        text.detach()  # or it would close the file as well
    setattr(evaluator, _DOCUMENT, view)
    return evaluator


PMML = Codec("pmml", ("pypmml",), _takes, _parts, _load)
