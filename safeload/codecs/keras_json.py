"""The keras-json codec, on request: an architecture in JSON and its weights in HDF5, two files as Keras writes them.

There is no optimizer in them, and no loss: who wants to train compiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part
from safeload.codecs.checked import check_file, own_classes
from safeload.codecs.keras import must_be_model, rebuilding, saved
from safeload.codecs.keras_names import functions
from safeload.codecs.private import private_copy
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CONFIG", "ENDING", "KERAS_JSON", "WEIGHTS"]

CONFIG, WEIGHTS = "keras-json.config", "keras-json.weights"
ENDING = ".weights.h5"  # by which Keras knows what to read


def _parts(value: Any, protocol: int | None) -> list[Part]:
    must_be_model(value, "keras-json")
    if not value.built:
        raise CodecError("this model has no weights yet", hint="model.build(shape), or call it once")
    return [
        saved(lambda path: path.write_text(value.to_json(), "utf-8"), "model.json", CONFIG),
        saved(value.save_weights, f"model{ENDING}", WEIGHTS),
    ]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    if sorted(member.kind for member in held) != [CONFIG, WEIGHTS]:
        raise CodecError("the members of this artifact are not an architecture of Keras and its weights")
    config, weights = sorted(held, key=lambda member: member.kind)
    text = config.read()
    parts = check_file(text, config, options)
    _must_be(parts[0].kind, "keras, configuration", config)
    with private_copy(weights, f"model{ENDING}", options, real=True) as (path, view):
        _must_be(check_file(view, weights, options)[0].kind, "hdf5", weights)
        del view
        with rebuilding() as keras:
            own = own_classes(parts, options) | functions(keras, parts, config, options.policy)
            model = keras.models.model_from_json(str(text, "utf-8"), custom_objects=own)
            model.load_weights(path)
            return model


def _must_be(kind: str, expected: str, member: Held) -> None:
    if kind != expected:
        raise CodecError(f"{printable(member.name)} is not what Keras writes", hint="safeload unpack gives the files")


KERAS_JSON = Codec("keras-json", ("keras",), lambda value: False, _parts, _load)
