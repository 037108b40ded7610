"""Every known gadget in every disguise is refused before anything runs, and named with its place."""

from __future__ import annotations

import _compat_pickle
import io
import pickle
import re
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload import Policy
from safeload.errors import DisallowedGlobalError, LimitError, PolicyError, SafeloadError
from testkit.hiding import (
    BOOSTERS,
    CALLS,
    GADGETS,
    INSTANTIATED,
    P4,
    REFERENCED,
    nested,
    sbu,
    stack_global,
    text_global,
)

if TYPE_CHECKING:
    from pathlib import Path


UNTRUSTED, DEFAULT = Policy.untrusted(), Policy.default()
of_each_policy = pytest.mark.parametrize("policy", [UNTRUSTED, DEFAULT], ids=["untrusted", "default"])


def refusal(data: bytes, policy: Policy | None = None) -> SafeloadError:
    with pytest.raises(SafeloadError) as caught:
        safeload.load_untrusted(io.BytesIO(data), policy=policy)
    return caught.value


@of_each_policy
@pytest.mark.parametrize("how", CALLS)
def test_every_gadget_is_refused_however_it_is_called(how: str, policy: Policy) -> None:
    elsewhere = REFERENCED | INSTANTIATED | (BOOSTERS if policy is DEFAULT else set())
    for module, name in GADGETS:
        error = refusal(CALLS[how](module, "anything" if name == "*" else name), policy)
        if how != "before a broken end" and "." not in name and (module, name) not in elsewhere:
            assert isinstance(error, DisallowedGlobalError), f"{module}.{name}: {error}"


def test_a_refusal_says_which_global_and_where_it_stands() -> None:
    """At the offset there is the opcode that names it."""
    for how in ("called", "called, protocol 0", "called, names from the memo", "instantiated", "INST", "OBJ", "popped"):
        for module, name in GADGETS:
            if name == "*" or "." in name or (module, name) in REFERENCED | INSTANTIATED:
                continue
            data = CALLS[how](module, name)
            error = refusal(data)
            assert isinstance(error, DisallowedGlobalError)
            assert f"{module}.{name}" in str(error), how  # as it is written, if Python 3 calls it otherwise
            assert data[error.offset] in (0x93, ord("c"), ord("i")), how
            assert f"byte {error.offset:,}" in str(error)


@of_each_policy
def test_every_gadget_is_refused_when_it_is_only_referenced(policy: Policy) -> None:
    for module, name in GADGETS:
        if (module, name) not in REFERENCED:
            data = P4 + stack_global(module, "any" if name == "*" else name) + b"."
            assert isinstance(refusal(data, policy), PolicyError)


@of_each_policy
def test_every_gadget_is_refused_under_the_names_of_python_2(policy: Policy) -> None:
    old = {new: names for names, new in _compat_pickle.NAME_MAPPING.items()}
    modules = {new: name for name, new in _compat_pickle.IMPORT_MAPPING.items()}
    for module, name in GADGETS:
        names = old.get((module, name), (modules.get(module, module), name))
        assert refusal(text_global(names[0], names[1].replace("*", "any")) + b"(S'true'\ntR.", policy)


@of_each_policy
@pytest.mark.parametrize("prefix", ["numpy", "joblib.numpy_pickle", "sklearn.base", "collections"])
def test_no_gadget_hides_behind_a_dot(prefix: str, policy: Policy) -> None:
    for module, name in GADGETS:
        dotted = f"{module}.{name}".replace("*", "any")
        assert isinstance(refusal(P4 + stack_global(prefix, dotted) + b")R.", policy), PolicyError)


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


@pytest.mark.parametrize(
    ("module", "name", "argument"),
    [
        ("http", "HTTPStatus", b"K\x07"),
        ("http", "HTTPStatus", b"\x88"),
        ("http", "HTTPStatus", b"]"),
        ("http", "HTTPMethod", sbu("DROP")),
        ("http", "HTTPMethod", stack_global("http", "HTTPMethod")),
        ("uuid", "SafeUUID", b"K\x01"),
        ("re", "RegexFlag", b"M\x00\x10"),
        ("re", "RegexFlag", b"K\x80"),  # DEBUG prints
        ("re", "RegexFlag", b"J\xfe\xff\xff\xff"),
        ("re", "RegexFlag", b"\x8b\x00\x00\x01\x00" + b"\x7f" * (1 << 16)),
        ("re", "RegexFlag", b"\x88"),
    ],
)
def test_an_enum_is_asked_for_no_other_member(module: str, name: str, argument: bytes) -> None:
    before = len(re.RegexFlag._value2member_map_)
    assert refusal(P4 + stack_global(module, name) + argument + b"\x85R.")
    assert refusal(P4 + stack_global(module, name) + b")R.")
    assert refusal(P4 + stack_global(module, name) + b"N\x85\x81.")
    assert refusal(P4 + stack_global(module, name) + b".")
    assert len(re.RegexFlag._value2member_map_) == before


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
    bomb = packer.compress(P4 + b"\x8e" + struct.pack("<Q", 640 << 20))
    bomb += b"".join(packer.compress(zeros) for _ in range(40)) + packer.flush()
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


def test_the_memo_cannot_be_numbered_otherwise_than_cpython_numbers_it() -> None:
    # BINPUT 1 into an empty memo, then MEMOIZE: the analysis and the unpickler would mean different objects by one key.
    data = P4 + b"K\x01q\x010K\x02\x940h\x01."
    assert refusal(data)


def forest_like() -> bytes:
    buffer = io.BytesIO()
    joblib.dump([np.arange(4.0), np.arange(5.0), np.arange(6.0)], buffer)
    return buffer.getvalue()


def test_an_array_cannot_get_a_state_behind_its_wrapper() -> None:
    data = forest_like()
    end = data.rindex(b"e.")
    for state in (b"}b", b"K\x01(K\x01K\x02tb"):
        error = refusal(data[:end] + state + data[end:])
        assert isinstance(error, safeload.errors.UnsafeStreamError)


def test_a_method_of_the_object_is_never_asked_for_while_it_is_filled() -> None:
    # CPython calls `append`, `extend` or `add` of what is no list: a Bunch answers from its own items.
    bunch = stack_global("sklearn.utils._bunch", "Bunch") + b")\x81(" + sbu("append") + sbu("x") + b"u"
    for data in (bunch + b"K\x01a.", bunch + b"(K\x01e.", bunch + b"(K\x01\x90."):
        error = refusal(P4 + data)
        assert isinstance(error, DisallowedGlobalError)
        assert "extended" in error.use


@pytest.mark.parametrize("value", [b"K\x01", b"}", sbu("1.9\x1b[2J"), sbu("x" * 100), b")"])
def test_the_version_of_a_model_is_a_version(value: bytes) -> None:
    ridge = stack_global("sklearn.linear_model._ridge", "Ridge") + b")\x81}" + sbu("_sklearn_version") + value + b"sb."
    error = refusal(P4 + ridge)
    assert isinstance(error, safeload.errors.UnsafeStreamError)
    assert error.fact == "odd-version"


@pytest.mark.parametrize("name", ["get_params", "predict", "fit", "score"])
def test_a_state_cannot_hide_a_method(name: str) -> None:
    ridge = stack_global("sklearn.linear_model._ridge", "Ridge") + b")\x81}" + sbu(name) + stack_global("numpy", "log")
    assert "hides its method" in str(refusal(P4 + ridge + b"sb."))


def test_an_escaped_name_is_the_name_that_it_spells() -> None:
    bunch = b"csklearn.utils._bunch\nBunch\n)\x81"
    for key in (rb"S'\x5f_array_interface__'" + b"\n", rb"V\u005f_array_interface__" + b"\n"):
        assert isinstance(refusal(b"\x80\x02" + bunch + key + b"K\x01s."), PolicyError)


def test_keys_of_attributes_are_plain_strings() -> None:
    scalar = stack_global("numpy._core.multiarray", "scalar")
    dtype = stack_global("numpy", "dtype") + sbu("U1") + b"\x89\x88\x87R(K\x03" + sbu("<") + b"NNNK\x04K\x04K\x08tb"
    key = scalar + dtype + b"C\x04_\0\0\0" + b"\x86R"
    bunch = stack_global("sklearn.utils._bunch", "Bunch") + b")\x81" + key + b"K\x01s."
    assert isinstance(refusal(P4 + bunch), PolicyError)


def test_the_analysis_hashes_nothing_that_the_file_made() -> None:
    ridge = stack_global("sklearn.linear_model._ridge", "Ridge") + b")\x81}"
    deep = b")" + b"\x85" * 500_000
    wide = b")" + b"\x94h\x00\x86" * 1 + b"".join(b"\x94h" + bytes([n]) + b"\x86" for n in range(1, 60))
    for key in (deep, wide):
        assert isinstance(refusal(P4 + ridge + key + b"K\x01sb."), PolicyError | LimitError)


def test_bytes_are_not_copied_again_and_again() -> None:
    array = stack_global("builtins", "bytearray") + b"\x94" + b"B" + struct.pack("<I", 5_000) + bytes(5_000) + b"\x94"
    data = P4 + b"](" + array + b"\x85R" + b"h\x00h\x01\x85R" * 100 + b"e."
    error = refusal(data)
    assert isinstance(error, safeload.errors.UnsafeStreamError)
    assert error.fact == "bytes-shared"


def test_a_bytearray_that_a_call_spells_is_not_copied_again_and_again() -> None:
    """As protocols below 5 write it: 20 bytes more of file were a megabyte more of memory."""
    size = struct.pack("<I", 1_000_000)
    array = stack_global("builtins", "bytearray") + b"B" + size + bytes(1_000_000) + b"\x85R\x94"
    dtype = stack_global("numpy", "dtype") + sbu("u1") + b"\x89\x88\x87R\x94(K\x03" + sbu("|") + b"NNN"
    dtype += 2 * b"J\xff\xff\xff\xff" + b"K\0tb"
    shape = b"J" + size + b"\x85" + sbu("C") + b"tR"
    made = stack_global("numpy._core.numeric", "_frombuffer") + b"\x94(" + array + dtype + shape
    assert len(safeload.load_untrusted(io.BytesIO(P4 + b"](" + made + b"e."))) == 1
    error = refusal(P4 + b"](" + made + (b"h\x00(h\x01h\x02" + shape) * 10 + b"e.")
    assert isinstance(error, safeload.errors.UnsafeStreamError)
    assert error.fact == "bytes-shared"


@pytest.mark.parametrize("opcode", "VTSX")
def test_a_long_text_is_not_encoded_again_and_again(opcode: str) -> None:
    """However it is spelled: 160 KB of file were a gigabyte of memory."""
    long = b"a" * 100_000
    sized = opcode.encode() + struct.pack("<I", len(long)) + long
    text = sized if opcode in "TX" else b"V" + long + b"\n" if opcode == "V" else b"S'" + long + b"'\n"
    encode = stack_global("_codecs", "encode") + b"\x94" + b"(" + text + b"\x94" + sbu("latin1") + b"\x94tR"
    error = refusal(P4 + b"](" + encode + b"h\x00(h\x01h\x02tR" * 100 + b"e.")
    assert isinstance(error, safeload.errors.UnsafeStreamError)
    assert error.fact == "bytes-shared"


def test_the_arrays_of_many_splines_are_their_own() -> None:
    """A state of slots was not counted: 600 KB of file became two gigabytes."""
    from scipy.interpolate import PPoly

    arrays = np.ones((4, 20_000)), np.arange(20_001.0)
    first = PPoly(*arrays)
    shared = [PPoly.construct_fast(first.c, first.x) for _ in range(40)]
    error = refusal(pickle.dumps(shared))
    assert isinstance(error, safeload.errors.UnsafeStreamError)
    assert error.fact == "bytes-shared"


def test_a_small_compressed_file_cannot_become_a_million_objects() -> None:
    data = zlib.compress(P4 + b"](" + b"]" * 30_000_000 + b"e.", 9)
    assert len(data) < 100_000
    assert isinstance(refusal(data), safeload.errors.LimitError)


def test_an_array_never_holds_memory_that_nobody_wrote() -> None:
    dtype = stack_global("numpy", "dtype") + sbu("S0") + b"\x89\x88\x87R(K\x03" + sbu("|") + b"NNNK\x00K\x01K\x00tb"
    array = stack_global("numpy._core.multiarray", "_reconstruct") + stack_global("numpy", "ndarray")
    made = array + b"K\x00\x85C\x01b\x87R(K\x01M\xe8\x03\x85" + dtype + b"\x89C\x00tb."
    assert "bytes that its shape asks for" in str(refusal(P4 + made))


def test_fields_of_a_dtype_are_counted_with_repetition() -> None:
    dtype: np.dtype[Any] = np.dtype("u1")
    for _ in range(5):
        dtype = np.dtype({"names": list("abcdefghij"), "formats": [dtype] * 10, "offsets": [0] * 10, "itemsize": 1})
    data = pickle.dumps(dtype)
    assert len(data) < 2_000
    assert "counted with repetition" in str(refusal(data))


def test_an_unterminated_manifest_is_refused_in_linear_time() -> None:
    from safeload.container.strictjson import parse_object

    with pytest.raises(safeload.errors.FormatError):
        parse_object(b'{"a": "' + rb"\"" * 2_000_000)


@pytest.mark.parametrize("number", [b"\x8c\x01x", b"J\xff\xff\xff\xff", b"N", b"\x8a\x12" + b"\x01" * 18])
def test_a_uuid_is_a_number_of_128_bits(number: bytes) -> None:
    data = P4 + stack_global("uuid", "UUID") + b")\x81}" + sbu("int") + number + b"sb."
    assert "uuid.UUID" in str(refusal(data))


def test_a_nested_stream_is_bounded_like_the_one_around_it() -> None:
    data = zlib.compress(nested(P4 + b"](" + b"]" * 30_000_000 + b"e."), 9)
    assert len(data) < 100_000
    assert isinstance(refusal(data), safeload.errors.LimitError)


def test_many_nested_streams_count_together() -> None:
    buffer = io.BytesIO()
    joblib.dump([np.array([None] * 90_000, dtype=object)] * 80, buffer)
    data = zlib.compress(buffer.getvalue(), 9)
    assert isinstance(refusal(data), safeload.errors.LimitError)


def test_an_array_wrapper_in_a_nested_stream_is_refused() -> None:
    wrapper = stack_global("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}b."
    assert refusal(nested(P4 + wrapper))
