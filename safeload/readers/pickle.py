"""Analysis of a pickle stream: one linear pass on a symbolic stack, nothing built, nothing imported.

The machine follows CPython's `Modules/_pickle.c`. Where it is laxer (types of operands), the unpickler raises
before anything of the stream that comes later can act; where it is stricter, it records a :class:`Fact`.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from safeload.errors import LimitError, StreamError
from safeload.readers import opcodes as op
from safeload.readers.bounds import boundary
from safeload.readers.data import Data
from safeload.readers.handlers import HANDLERS
from safeload.readers.machine import ArrayReader, FormReader, Machine, WholeReader
from safeload.readers.memo import GapError, SparseMemo
from safeload.readers.nodes import ForgottenError
from safeload.readers.objects import fill
from safeload.readers.runs import read_form

if TYPE_CHECKING:
    from safeload.readers.buffer import Buffer, Work
    from safeload.readers.observations import Stream

__all__ = ["analyse_pickle"]

# Longest opcode of fixed size, so that the loop need not look at the window's end for each byte.
_MARGIN = 16


def analyse_pickle(
    buffer: Buffer,
    start: int = 0,
    *,
    watch: frozenset[tuple[str, str]] = frozenset(),
    array_reader: ArrayReader | None = None,
    whole_reader: WholeReader | None = None,
    work: Work | None = None,
    out_of_band: int = 0,
) -> Stream:
    """Read the one stream that begins at `start`. Raises StreamError where it is malformed or cut off.

    `watch` names the globals whose objects are reported as constructions; `array_reader` reads what stands
    behind joblib's array wrappers, `whole_reader` whole wrappers. What costs more than `work` is a LimitError.
    `out_of_band` is how many buffers there are beside the stream.
    """
    spent, seen = replace(buffer.spent), len(buffer.seen)

    def machine(form_reader: FormReader | None) -> Machine:
        buffer.spent.restore(spent)
        del buffer.seen[seen:]
        return Machine(Data(buffer, work), start, watch, array_reader, whole_reader, form_reader, out_of_band)

    with contextlib.suppress(ForgottenError, GapError):
        return _analyse(machine(read_form))
    try:
        return _analyse(machine(None))  # it refers into an object that was read in one step
    except GapError:
        last = machine(None)
        last.memo = SparseMemo()  # type: ignore[assignment]  # which has what is asked of a list here
        return _analyse(last)


def _analyse(machine: Machine) -> Stream:
    try:
        _run(machine)
    except IndexError:
        # The stack, the memo or the data had less than an opcode takes.
        _keep_seen(machine)
        raise StreamError("an opcode takes what is not there", offset=machine.at) from None
    except (StreamError, LimitError):
        _keep_seen(machine)
        raise
    return machine.result()


def _keep_seen(machine: Machine) -> None:
    """What came before a broken place has run by then, and has to be judged too."""
    if machine.data.buffer.describe:
        machine.data.buffer.seen.append(machine.result())


def _run(machine: Machine) -> None:  # noqa: C901  # one loop: a call an opcode would cost three times as much
    data, stack, memo, marks = machine.data, machine.stack, machine.memo, machine.marks
    push, memoize = stack.append, memo.append
    leaf_sizes, handlers = op.LEAF_SIZES, HANDLERS
    from_bytes = int.from_bytes
    base = limit = 0
    buf = b""
    i = machine.at
    while True:
        if i >= limit:
            if i + _MARGIN > len(buf) and data.reach(base + len(buf) + 1):
                base, i = base + i, 0
                buf = data.window(base)
            limit = boundary(machine, base + i, base, len(buf), _MARGIN)
        kind = buf[i]
        size = leaf_sizes[kind]
        if size:
            push(base + i)
            i += size
        elif kind == 0x94:  # MEMOIZE
            memoize(stack[-1])
            i += 1
        elif kind == 0x8C:  # SHORT_BINUNICODE
            while True:  # a word, MEMOIZE and a number: a vocabulary has a million of these
                token = base + i
                push(token)
                i += 2 + buf[i + 1]
                if i >= limit or buf[i] != 0x94:
                    break
                memoize(token)
                i += 1
                if i >= limit or not (size := leaf_sizes[buf[i]]):
                    break
                push(base + i)
                i += size
                if i >= limit or buf[i] != 0x8C:
                    break
        elif kind == 0x68:  # BINGET
            node = memo[buf[i + 1]]
            if node.__class__ is not int:
                machine.at = base + i
                node = machine.fetched(node, buf, i + 2, 2)
                if machine.resume > base + i:
                    push(node)
                    i, limit = machine.resume - base, 0
                    continue
            push(node)
            i += 2
        elif kind == 0x58:  # BINUNICODE
            push(base + i)
            size = from_bytes(buf[i + 1 : i + 5], "little")
            i += 5 + size
            if size > op.LARGE:
                machine.skipped += size
        elif kind == 0x6A:  # LONG_BINGET
            node = memo[from_bytes(buf[i + 1 : i + 5], "little")]
            if node.__class__ is not int:
                machine.at = base + i
                node = machine.fetched(node, buf, i + 5, 5)
                if machine.resume > base + i:
                    push(node)
                    i, limit = machine.resume - base, 0
                    continue
            push(node)
            i += 5
        elif kind == 0x71:  # BINPUT
            if buf[i + 1] == len(memo):
                memoize(stack[-1])
            else:
                machine.at = base + i
                machine.put(buf[i + 1])
            i += 2
        elif kind == 0x72:  # LONG_BINPUT
            key = from_bytes(buf[i + 1 : i + 5], "little")
            if key == len(memo):
                memoize(stack[-1])
            else:
                machine.at = base + i
                machine.put(key)
            i += 5
        elif kind == 0x28:  # MARK
            marks.append(len(stack))
            i += 1
        elif kind == 0x75:  # SETITEMS
            mark = marks.pop()
            items = stack[mark:]
            del stack[mark:]
            machine.at = base + i
            fill(machine, stack[-1], items, kind)
            i += 1
        elif kind == 0x2E:  # STOP
            machine.stop(base + i)
            return
        else:
            machine.at = base + i
            handler = handlers.get(kind)
            if handler is None:
                raise StreamError(f"{op.opcode_name(kind)} is not an opcode", offset=base + i)
            i = handler(machine, base + i) - base
            if machine.moved:
                machine.moved, limit = False, 0
