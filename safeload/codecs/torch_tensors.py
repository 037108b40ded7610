"""Tensors as numbers: what each says of its memory, and the memory itself, of which others' parts are left out."""

from __future__ import annotations

from typing import IO, Any, NamedTuple

from safeload.errors import CodecError

__all__ = ["DTYPES", "Numbers", "Storages", "TensorForm"]

# By the names that torch gives them.
DTYPES = (
    "bfloat16", "bool", "complex128", "complex32", "complex64", "float16", "float32", "float64", "float8_e4m3fn",
    "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "int16", "int32", "int64", "int8", "uint16", "uint32",
    "uint64", "uint8",
)  # fmt: skip
_ALIGNMENT = 64  # bytes: that of members, which every item's size divides
_DIMENSIONS_MAX = 64


class TensorForm(NamedTuple):
    """A tensor on a storage: `offset` and `stride` count items. `parameter` is None, or whether it wants gradients."""

    storage: int
    dtype: str
    offset: int
    shape: list[int]
    stride: list[int]
    parameter: bool | None


class Numbers:
    """Collects tensors that are saved. Each memory is kept once, from the first to the last byte that they have."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []  # so that no memory is another's by then
        self._spans: dict[int, list[int]] = {}  # by the address of a storage: its first and last byte that is used
        self._places: list[tuple[int, Any]] = []

    def add(self, tensor: Any) -> int:
        """The number of a tensor; :meth:`forms` says what it is. Raises CodecError for what has no plain memory."""
        import torch

        plain = tensor.detach()
        dtype = str(plain.dtype).removeprefix("torch.")
        if plain.layout is not torch.strided or plain.is_quantized or dtype not in DTYPES or plain.is_nested:
            raise CodecError(
                f"a tensor of {str(plain.layout).removeprefix('torch.')} {dtype} cannot be kept as plain numbers",
                hint="to_dense() or dequantize() first",
            )
        if type(plain) is not torch.Tensor:
            raise CodecError(f"a {type(tensor).__name__} is more than its numbers say")
        if plain.device.type == "meta":
            raise CodecError("a tensor on the device meta has no numbers")
        plain = plain.cpu().resolve_conj().resolve_neg()
        size, address = plain.element_size(), plain.untyped_storage().data_ptr()
        first = plain.storage_offset() * size
        last = first + size * (1 + sum((n - 1) * step for n, step in zip(plain.shape, plain.stride(), strict=True)))
        if plain.numel() == 0:
            first = last = 0
        span = self._spans.setdefault(address, [first, last])
        if plain.numel():
            empty = span[0] == span[1]
            span[:] = [first, last] if empty else [min(span[0], first), max(span[1], last)]
        self._tensors.append(tensor)
        self._places.append((address, plain))
        return len(self._places) - 1

    def forms(self) -> list[TensorForm]:
        """What each tensor is, once all are added."""
        import torch

        numbers = {address: index for index, address in enumerate(self._spans)}
        found = []
        for tensor, (address, plain) in zip(self._tensors, self._places, strict=True):
            begin = self._begin(address)
            offset = plain.storage_offset() - begin // plain.element_size() if plain.numel() else 0
            parameter = bool(tensor.requires_grad) if isinstance(tensor, torch.nn.Parameter) else None
            dtype = str(plain.dtype).removeprefix("torch.")
            shape, stride = list(plain.shape), list(plain.stride())
            found.append(TensorForm(numbers[address], dtype, offset, shape, stride, parameter))
        return found

    def spans(self) -> list[tuple[int, int]]:
        """Where each memory begins and ends in what :meth:`write` writes."""
        found, at = [], 0
        for address, (_, last) in self._spans.items():
            size = last - self._begin(address)
            found.append((at, at + size))
            at += -(-size // _ALIGNMENT) * _ALIGNMENT
        return found

    def write(self, file: IO[bytes]) -> None:
        """All memory, in the order of the numbers, each at a multiple of 64."""
        import torch

        owners = dict(reversed(self._places))
        for address, (_, last) in self._spans.items():
            begin = self._begin(address)
            if begin < last:
                memory = torch.empty(0, dtype=torch.uint8).set_(owners[address].untyped_storage())
                file.write(memory[begin:last].numpy().data)
                file.write(bytes((begin - last) % _ALIGNMENT))

    def _begin(self, address: int) -> int:
        return self._spans[address][0] // _ALIGNMENT * _ALIGNMENT


class Storages:
    """Memory of tensors that are loaded: `spans` are parts of `view`, each of which torch takes for one storage."""

    def __init__(self, view: memoryview, spans: list[Any]) -> None:
        self._view, self._spans = memoryview(bytearray(view)) if view.readonly else view, spans
        self._made: dict[int, Any] = {}

    def tensor(self, form: TensorForm) -> Any:
        """The tensor of that form, on memory that all of its storage share. Raises CodecError."""
        import torch

        dtype = getattr(torch, form.dtype, None) if form.dtype in DTYPES else None
        if dtype is None:
            raise CodecError(f"tensors of {form.dtype} are not known here")
        memory = self._storage(form.storage)
        size = torch.empty(0, dtype=dtype).element_size()
        if not _fits(form, memory.numel() // size):
            raise CodecError("a tensor reaches outside of its memory")
        tensor = torch.empty(0, dtype=dtype)
        if memory.numel() and 0 not in form.shape:
            if dtype is torch.bool and int(memory.as_strided(form.shape, form.stride, form.offset).amax()) > 1:
                raise CodecError("a truth value is neither 0 nor 1")  # compiled code counts with them
            tensor.set_(memory.untyped_storage(), form.offset, form.shape, form.stride)
        else:
            tensor = torch.empty(form.shape, dtype=dtype)  # without an item, on whatever memory
        return tensor if form.parameter is None else torch.nn.Parameter(tensor, requires_grad=form.parameter)

    def _storage(self, number: int) -> Any:
        import torch

        if not 0 <= number < len(self._spans):
            raise CodecError("a tensor is on a memory that is not there")
        if number not in self._made:
            begin, end = self._spans[number]
            if type(begin) is not int or type(end) is not int or not 0 <= begin <= end <= len(self._view):
                raise CodecError("the memory of a tensor is not in the file")
            view = self._view[begin:end]
            memory = torch.frombuffer(view, dtype=torch.uint8) if begin < end else torch.empty(0, dtype=torch.uint8)
            self._made[number] = memory
        return self._made[number]


def _fits(form: TensorForm, items: int) -> bool:
    """Whether all items are inside; torch itself would make the memory larger."""
    if len(form.shape) != len(form.stride) or len(form.shape) > _DIMENSIONS_MAX or min(form.shape, default=1) < 0:
        return False
    if 0 in form.shape:
        return form.offset == 0 and all(0 <= step < 1 << 62 for step in form.stride) and sum(form.shape) < 1 << 62
    last = form.offset + sum((n - 1) * step for n, step in zip(form.shape, form.stride, strict=True))
    return form.offset >= 0 and min(form.stride, default=0) >= 0 and last < items
