"""What hickle 5 keeps without a pickle, and gives back: looked for before anything is written."""

from __future__ import annotations

import collections
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_value"]

# Each takes HDF5 a millisecond, and a look into a file may take half a minute.
_VALUES_MAX, _DEPTH_MAX = 20_000, 90
_KEY_MAX = 1_000
_NUMBERS = "biufc"
_PLAIN = frozenset({bool, bytes, complex, float, int, str, type(None)})
_SINGLE = frozenset({bool, complex, float, int})
_HINT = "the joblib codec keeps any object"


class _Step(NamedTuple):
    path: str
    value: Any
    leave: bool = False


def check_value(value: Any) -> None:
    """Raise CodecError for the first part of `value` that would be pickled, or come back as something else."""
    pending, open_, done, count = [_Step("", value)], set[int](), set[int](), 0
    while pending:
        path, one, leave = pending.pop()
        if leave:
            open_.discard(id(one))
            continue
        count += one.size if _is_texts(one) else 1
        if count > _VALUES_MAX:
            raise _refused(path, f"more than {_VALUES_MAX:,} values, each of its own")
        if not _is_container(one):
            _check_leaf(path, one)
        elif id(one) in open_ or len(open_) > _DEPTH_MAX:
            raise _refused(path, f"it holds itself, or is deeper than {_DEPTH_MAX}")
        elif id(one) not in done:
            open_.add(id(one))
            done.add(id(one))
            pending.append(_Step(path, one, leave=True))
            pending.extend(_below(path, one))


def _refused(path: str, why: str) -> CodecError:
    return CodecError(f"hickle would not keep this as it is: {printable(path, 200) or 'the value'}: {why}", hint=_HINT)


def _is_container(one: Any) -> bool:
    return type(one) in (list, tuple, set, dict, collections.OrderedDict)


def _below(path: str, one: Any) -> Iterator[_Step]:
    if type(one) in (dict, collections.OrderedDict):
        for key, value in one.items():
            place = f"{path}[{printable(repr(key), 40)}]"
            _check_key(place, key)
            if type(key) is tuple:
                yield _Step(f"{place} (the key)", key)
            yield _Step(place, value)
    elif one and all(map(_is_number, one)):
        for each in one:  # which become one array
            if type(each) is int and each.bit_length() > 63:
                raise _refused(path, "a whole number of more than 64 bits among numbers")
    elif one and all(type(each) is bytes and len(each) < 2 for each in one):
        raise _refused(path, "nothing but single bytes")
    else:
        for index, each in enumerate(one):
            yield _Step(f"{path}[{index}]", each)


def _check_key(path: str, key: Any) -> None:
    if isinstance(key, (str, bytes)) and type(key) in _PLAIN:
        _check_text(path, key)
        if len(key) > _KEY_MAX or 0 in (key if isinstance(key, bytes) else map(ord, key)):
            raise _refused(path, "a key that is too long, or has a zero in it")
    elif key is False:
        raise _refused(path, "hickle reads this key as True")
    elif type(key) is not tuple and type(key) not in _PLAIN and not _is_number(key):
        raise _refused(path, f"a key that is a {type(key).__name__}")


def _check_text(path: str, text: str | bytes) -> None:
    if type(text) is str:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _refused(path, "a text that UTF-8 has not") from None


def _is_number(one: Any) -> bool:
    if type(one) in _SINGLE:
        return True
    np = sys.modules.get("numpy")
    return np is not None and isinstance(one, np.generic) and one.dtype.kind in _NUMBERS


def _is_array(one: Any) -> bool:
    np = sys.modules.get("numpy")
    return np is not None and type(one) is np.ndarray


def _is_texts(one: Any) -> bool:
    return _is_array(one) and one.dtype.kind == "U"


def _check_leaf(path: str, one: Any) -> None:
    if type(one) is int:
        _check_digits(path, one)
    elif type(one) in _PLAIN or _is_number(one):
        _check_text(path, one)
    elif _is_array(one):
        _check_array(path, one)
    elif not _is_kept(one):
        raise _refused(path, f"a {type(one).__module__}.{type(one).__qualname__}, which would be pickled or changed")


def _check_digits(path: str, one: int) -> None:
    try:
        str(one)
    except ValueError:
        raise _refused(path, "a whole number with more digits than Python reads") from None


def _check_array(path: str, one: Any) -> None:
    kind = one.dtype.kind
    texts = kind == "U" and one.ndim > 0 and one.size > 0
    if not (kind in _NUMBERS or (kind == "S" and one.dtype.itemsize) or texts):
        raise _refused(path, f"an array of {printable(str(one.dtype), 40)}, {one.ndim} dimensions and {one.size} items")
    if texts:
        for each in one.flat:
            _check_text(path, str(each))


def _is_kept(one: Any) -> bool:
    """Masked arrays and sparse matrices of numbers."""
    np, sparse = sys.modules.get("numpy"), sys.modules.get("scipy.sparse")
    kinds: tuple[Any, ...] = () if np is None else (np.ma.MaskedArray,)
    if sparse is not None:
        kinds += sparse.csr_matrix, sparse.csc_matrix, sparse.bsr_matrix
    return type(one) in kinds and one.dtype.kind in _NUMBERS
