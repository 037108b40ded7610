"""Every known gadget in every disguise is refused before anything runs, and named with its place."""

from __future__ import annotations

import _compat_pickle
import io
import pickle
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest

import safeload
from safeload.errors import DisallowedGlobalError, PolicyError, SafeloadError

P4 = b"\x80\x04"
GADGETS = [
    tuple(line.split("\t")[:2])
    for line in (Path(__file__).parent / "data" / "gadgets.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
# Listed for what happens when something is done *to* them; docs/threat-model.md says why they may be referenced.
REFERENCED = {("joblib.numpy_pickle", "NumpyArrayWrapper"), ("numpy", "prod")}


def sbu(text: str) -> bytes:
    data = text.encode()
    return (b"\x8c" + bytes([len(data)]) if len(data) < 256 else b"X" + struct.pack("<I", len(data))) + data


def stack_global(module: str, name: str) -> bytes:
    return sbu(module) + sbu(name) + b"\x93"


def text_global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def nested(stream: bytes) -> bytes:
    """`stream` in the place of the pickle that stands behind an object array."""
    buffer = io.BytesIO()
    joblib.dump(np.array([None], dtype=object), buffer)
    outer = buffer.getvalue()
    start = outer.index(b"\x80\x05")
    return outer[:start] + stream + outer[outer.index(b".", start) + 1 :]


Disguise = Callable[[str, str], bytes]
CALLS: dict[str, Disguise] = {
    "called": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85R.",
    "called, protocol 0": lambda m, n: text_global(m, n) + b"(S'true'\ntR.",
    "called, names from the memo": lambda m, n: (
        P4 + sbu(m) + b"\x94" + sbu(n) + b"\x94" + b"00h\x00h\x01\x93" + sbu("true") + b"\x85R."
    ),
    "instantiated": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85\x81.",
    "instantiated with keywords": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85}\x92.",
    "INST": lambda m, n: f"(S'true'\ni{m}\n{n}\n.".encode(),
    "OBJ": lambda m, n: b"(" + text_global(m, n) + b"S'true'\no.",
    "behind copyreg": lambda m, n: (
        P4
        + stack_global("copyreg", "_reconstructor")
        + stack_global(m, n)
        + stack_global("builtins", "object")
        + b"N\x87R."
    ),
    "in a nested stream": lambda m, n: nested(P4 + stack_global(m, n) + sbu("true") + b"\x85R."),
    "popped": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85R0K\x01.",
    "before a broken end": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85R\xff\xff",
    "compressed": lambda m, n: zlib.compress(P4 + stack_global(m, n) + sbu("true") + b"\x85R."),
    "through map": lambda m, n: (
        P4 + b"](" + stack_global("builtins", "map") + stack_global(m, n) + sbu("true") + b"\x85\x86Re."
    ),
    "as a default factory": lambda m, n: (
        P4 + stack_global("collections", "defaultdict") + stack_global(m, n) + b"\x85R."
    ),
    "in a partial": lambda m, n: P4 + stack_global("functools", "partial") + stack_global(m, n) + b"\x85R.",
}


def refusal(data: bytes) -> SafeloadError:
    with pytest.raises(SafeloadError) as caught:
        safeload.load_untrusted(io.BytesIO(data))
    return caught.value


@pytest.mark.parametrize("how", CALLS)
def test_every_gadget_is_refused_however_it_is_called(how: str) -> None:
    for module, name in GADGETS:
        error = refusal(CALLS[how](module, "anything" if name == "*" else name))
        assert not isinstance(error, safeload.errors.NotAnArtifactError)
        if how == "called" and "." not in name:
            assert isinstance(error, DisallowedGlobalError)
            assert error.offset > 0


def test_every_gadget_is_refused_when_it_is_only_referenced() -> None:
    for module, name in GADGETS:
        if (module, name) not in REFERENCED:
            assert isinstance(refusal(P4 + stack_global(module, "any" if name == "*" else name) + b"."), PolicyError)


def test_every_gadget_is_refused_under_the_names_of_python_2() -> None:
    old = {new: names for names, new in _compat_pickle.NAME_MAPPING.items()}
    modules = {new: name for name, new in _compat_pickle.IMPORT_MAPPING.items()}
    for module, name in GADGETS:
        names = old.get((module, name), (modules.get(module, module), name))
        assert refusal(text_global(names[0], names[1].replace("*", "any")) + b"(S'true'\ntR.")


@pytest.mark.parametrize("prefix", ["numpy", "joblib.numpy_pickle", "sklearn.base", "collections"])
def test_no_gadget_hides_behind_a_dot(prefix: str) -> None:
    for module, name in GADGETS:
        dotted = f"{module}.{name}".replace("*", "any")
        assert isinstance(refusal(P4 + stack_global(prefix, dotted) + b")R."), PolicyError)


def test_refusing_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trap_module_of_this_test.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for how in CALLS:
        refusal(CALLS[how]("trap_module_of_this_test", "anything"))
    assert "trap_module_of_this_test" not in sys.modules


def test_a_class_of_the_allow_list_cannot_be_patched() -> None:
    # Slot state on a class is setattr: (None, {"predict": ...}).
    target = stack_global("sklearn.linear_model._base", "LinearRegression")
    for state in (b"}" + sbu("predict") + b"K\x01s", b"N}" + sbu("predict") + b"K\x01s\x86"):
        error = refusal(P4 + target + state + b"b.")
        assert isinstance(error, safeload.errors.UnsafeStreamError)
        assert error.fact == "build-on-value"


def test_slot_state_on_an_instance_is_refused() -> None:
    made = stack_global("scipy.sparse._csr", "csr_matrix") + b")\x81"
    slots = b"N}" + sbu("__class__") + stack_global("scipy.sparse._csc", "csc_matrix") + b"s\x86b."
    assert isinstance(refusal(P4 + made + slots), PolicyError)


def test_numpys_address_protocols_cannot_be_planted() -> None:
    for key in ("__array_interface__", "__array_struct__", "__class__", "__dict__", "__setstate__"):
        state = b"}" + sbu(key) + b"K\x01s"
        ridge = stack_global("sklearn.linear_model._ridge", "Ridge") + b")\x81" + state + b"b."
        bunch = stack_global("sklearn.utils._bunch", "Bunch") + b")\x81(" + sbu(key) + b"K\x01u."
        single = stack_global("sklearn.utils._bunch", "Bunch") + b")\x81" + sbu(key) + b"K\x01s."
        for data in (ridge, bunch, single):
            assert isinstance(refusal(P4 + data), PolicyError)
    escaped = b"csklearn.linear_model._ridge\nRidge\n)\x81}V\\u005f_array_interface__\nK\x01sb."
    assert isinstance(refusal(b"\x80\x02" + escaped), PolicyError)


def test_what_is_harmless_in_one_place_is_refused_elsewhere() -> None:
    function = (
        stack_global("sklearn.preprocessing._function_transformer", "FunctionTransformer") + b")\x81}" + sbu("func")
    )
    for module, name in (("numpy", "ndarray"), ("numpy", "memmap"), ("sklearn.neighbors._kd_tree", "KDTree")):
        error = refusal(P4 + function + stack_global(module, name) + b"sb.")
        assert isinstance(error, DisallowedGlobalError)
        assert error.use == "referenced"


def test_the_state_of_one_object_cannot_be_reached_again() -> None:
    ridge = stack_global("sklearn.linear_model._ridge", "Ridge")
    data = P4 + ridge + b"\x94)\x81}\x94" + sbu("alpha") + b"K\x01sb0h\x01."
    error = refusal(data)
    assert isinstance(error, safeload.errors.UnsafeStreamError)
    assert error.fact == "state-shared"


BOMBS: dict[str, bytes] = {
    "range": P4 + stack_global("builtins", "range") + b"K\x00J\xff\xff\xff\x7fK\x01\x87R.",
    "bytes of a number": P4 + stack_global("builtins", "bytes") + b"J\xff\xff\xff\x7f\x85R.",
    "bytearray of a number": P4 + stack_global("builtins", "bytearray") + b"J\xff\xff\xff\x7f\x85R.",
    "fraction of an exponent": P4 + stack_global("fractions", "Fraction") + sbu("1e9999999") + b"\x85R.",
    "decimal of an exponent": P4 + stack_global("decimal", "Decimal") + sbu("1E+99999999") + b"\x85R.",
    "punycode": P4 + stack_global("_codecs", "encode") + sbu("x" * 200) + sbu("punycode") + b"\x86R.",
    "pattern of 100,000 parts": (
        P4 + stack_global("re", "_compile") + sbu("|".join(map(str, range(100_000)))) + b"K\x00\x86R."
    ),
    "array that nobody wrote": (
        P4 + stack_global("numpy._core.multiarray", "_reconstruct") + stack_global("numpy", "ndarray")
        + b"J\xff\xff\xff\x0f\x85C\x01d\x87R."
    ),
    "integer of 8 MB": P4 + b"\x8b" + struct.pack("<i", 8 << 20) + bytes(8 << 20) + b".",
    "integer of two million digits": b"L" + b"9" * 2_000_000 + b"L\n.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_work_is_bounded_by_the_input(name: str) -> None:
    assert refusal(BOMBS[name])


def test_a_zlib_bomb_is_refused_before_the_memory_is_spent() -> None:
    packer = zlib.compressobj(9)
    zeros = bytes(16 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(40)) + packer.flush()
    assert len(bomb) < 1_000_000
    error = refusal(bomb)
    assert isinstance(error, safeload.errors.LimitError)


def test_a_large_array_of_zeros_is_no_bomb() -> None:
    buffer = io.BytesIO()
    joblib.dump(np.zeros(40_000_000), buffer, compress=3)
    buffer.seek(0)
    assert safeload.load_untrusted(buffer).shape == (40_000_000,)


def test_pickles_that_hide_a_loader_are_refused() -> None:
    inner = pickle.dumps([1])
    for module, name in (("pickle", "loads"), ("_pickle", "loads"), ("joblib", "load"), ("numpy", "load")):
        assert refusal(P4 + stack_global(module, name) + b"C" + bytes([len(inner)]) + inner + b"\x85R.")
