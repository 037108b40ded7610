"""The keras-h5 codec, on request: a whole model in HDF5, as Keras wrote it before it had archives, with its optimizer.

Configurations of that time name classes without a module. Which of these are Keras' own, Keras is asked; any other is
one of somebody's own, and loads if the policy names it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, only
from safeload.codecs.base import Part as Member
from safeload.codecs.checked import check_file, own_classes
from safeload.codecs.keras import must_be_model, rebuilding, saved
from safeload.codecs.keras_names import functions, named_only, nodes
from safeload.codecs.private import private_copy
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from safeload.policy import Policy
    from safeload.readers.files.parts import Part

__all__ = ["KERAS_H5"]

_KIND, _MEMBER = "keras-h5.file", "model.h5"
_ROOMS = ("constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models", "optimizers")
_ROOMS_TOO = ("optimizers.schedules", "quantizers", "regularizers")
_ALSO = frozenset(
    {"Functional", "function", "__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
)
# By which names Keras 3 writes losses into HDF5, and does not find them again.
_SHORT = {
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}


def _parts(value: Any, protocol: int | None) -> list[Member]:
    must_be_model(value, "keras-h5")
    return [saved(value.save, _MEMBER, _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    with private_copy(member, _MEMBER, options, real=True) as (path, view):
        parts = check_file(view, member, options)
        if parts[0].kind != "keras, h5":
            raise CodecError(
                f"{printable(member.name)} is no model of Keras in HDF5", hint="safeload unpack gives the file"
            )
        with rebuilding() as keras:
            own = {name: getattr(keras.losses, full) for name, full in _SHORT.items()}
            own |= own_classes(parts, options) | _classes(keras, parts, member, options.policy)
            own |= functions(keras, parts, member, options.policy)
            del view, parts
            with keras.saving.custom_object_scope(own):
                model = keras.saving.load_model(path, custom_objects=own, safe_mode=True)
            _restore_optimizer(model, path)
            return model


def _restore_optimizer(model: Any, path: Path) -> None:
    """Keras up to 3.15 builds the optimizer of a model in HDF5 for no variables, which then trains nothing."""
    import h5py

    optimizer = getattr(model, "optimizer", None)
    with h5py.File(path, "r") as file:
        group = file.get("optimizer_weights")
        if optimizer is None or group is None:
            return
        # Names that are many stand in several attributes.
        keys = sorted((key for key in group.attrs if key.startswith("weight_names")), key=lambda key: (len(key), key))
        values = [group[name][()] for key in keys for name in group.attrs[key]]
    optimizer = type(optimizer).from_config(optimizer.get_config())
    optimizer.build(model.trainable_variables)
    if [value.shape for value in values] == [tuple(variable.shape) for variable in optimizer.variables]:
        optimizer.set_weights(values)  # else it begins anew, as Keras has it: that of Keras 2 has other parts
    model.optimizer = optimizer


def _classes(keras: Any, parts: list[Part], member: Held, policy: Policy) -> dict[str, Any]:
    """Classes that the file names without a module. Raises UnsafeFileError."""
    names = {node["class_name"] for node in nodes(parts) if isinstance(node.get("class_name"), str) and _is_bare(node)}
    # registered ones have a package: the reader has said so, and the policy was asked
    own = sorted(name for name in names - _names(keras) if ">" not in name)
    return {name: named_only(name, "class", member, policy) for name in own}


def _is_bare(node: dict[str, Any]) -> bool:
    return not isinstance(node.get("module"), str)


def _names(keras: Any) -> set[str]:
    """The classes that Keras shows."""
    names = {*_ALSO}
    for path in (*_ROOMS, *_ROOMS_TOO):
        room = keras
        for part in path.split("."):
            room = getattr(room, part, None)
        names.update(name for name, _ in inspect.getmembers(room, inspect.isclass))
    return names


KERAS_H5 = Codec("keras-h5", ("keras",), lambda value: False, _parts, _load)
