"""Memory by address, for kernels: loads and stores that check nothing.

A kernel that is handed arrays counts references to each of them at every call of a part of it, which was measured to
cost more than the work itself. So kernels are handed one array of whole numbers, and the addresses of all others in it;
even that one they look at anew as one that belongs to nobody (``words_at``), which is not counted. Whoever calls a
kernel keeps those arrays alive, and whoever writes one proves that each address is within them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from holdfast.exposure.git.layout import MOVED

_WORD = ir.IntType(64)
_LINE = ir.VectorType(ir.IntType(8), MOVED)
_INTS = ir.VectorType(ir.IntType(32), MOVED // 4)


def _load(bits: int, *, signed: bool) -> Any:  # noqa: ANN401 - what numba makes of it
    cell = ir.IntType(bits)

    @intrinsic
    def load(typing_context: Any, address: Any) -> Any:  # noqa: ANN401 - numba's own
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
            place = builder.inttoptr(arguments[0], cell.as_pointer())
            value = builder.load(place)
            value.align = 1
            if bits == _WORD.width:
                return value
            return builder.sext(value, _WORD) if signed else builder.zext(value, _WORD)

        del typing_context, address
        return types.int64(types.int64), generate

    return load


def _store(bits: int) -> Any:  # noqa: ANN401 - what numba makes of it
    cell = ir.IntType(bits)

    @intrinsic
    def store(typing_context: Any, address: Any, value: Any) -> Any:  # noqa: ANN401 - numba's own
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
            place = builder.inttoptr(arguments[0], cell.as_pointer())
            kept = arguments[1] if bits == _WORD.width else builder.trunc(arguments[1], cell)
            builder.store(kept, place).align = 1
            return context.get_dummy_value()

        del typing_context, address, value
        return types.void(types.int64, types.int64), generate

    return store


byte_at = _load(8, signed=False)
int_at = _load(32, signed=True)
word_at = _load(64, signed=True)
put_byte = _store(8)
put_int = _store(32)
put_word = _store(64)


@intrinsic
def big_word_at(typing_context: Any, address: Any) -> Any:  # noqa: ANN401 - numba's own
    """Eight bytes as an unsigned number, the first byte the highest."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        place = builder.inttoptr(arguments[0], _WORD.as_pointer())
        value = builder.load(place)
        value.align = 1
        return builder.bswap(value)

    del typing_context, address
    return types.uint64(types.int64), generate


@intrinsic
def move(typing_context: Any, target: Any, source: Any) -> Any:  # noqa: ANN401 - numba's own
    """Copy ``MOVED`` bytes."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        to, place = (builder.inttoptr(one, _LINE.as_pointer()) for one in arguments)
        value = builder.load(place)
        value.align = 1
        builder.store(value, to).align = 1
        return context.get_dummy_value()

    del typing_context, target, source
    return types.void(types.int64, types.int64), generate


@intrinsic
def shift_ints(typing_context: Any, target: Any, source: Any, shift: Any) -> Any:  # noqa: ANN401 - numba's own
    """Copy eight numbers of four bytes, each greater by the same."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        to, place = (builder.inttoptr(one, _INTS.as_pointer()) for one in arguments[:2])
        value = builder.load(place)
        value.align = 1
        more = ir.Constant(_INTS, ir.Undefined)
        for k in range(_INTS.count):
            more = builder.insert_element(more, builder.trunc(arguments[2], _INTS.element), ir.IntType(32)(k))
        builder.store(builder.add(value, more), to).align = 1
        return context.get_dummy_value()

    del typing_context, target, source, shift
    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def ones(typing_context: Any, value: Any) -> Any:  # noqa: ANN401 - numba's own
    """How many bits of a number are set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        return builder.ctpop(arguments[0])

    del typing_context, value
    return types.int64(types.int64), generate


@intrinsic
def lowest(typing_context: Any, value: Any) -> Any:  # noqa: ANN401 - numba's own
    """Which bit of a number, that is not 0, is the lowest that is set."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    del typing_context, value
    return types.int64(types.int64), generate


@intrinsic
def fetch(typing_context: Any, address: Any) -> Any:  # noqa: ANN401 - numba's own
    """Ask for the memory at an address, which is read soon."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        takes = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        asked = builder.module.declare_intrinsic("llvm.prefetch", (byte,), takes)
        builder.call(asked, [builder.inttoptr(arguments[0], byte), number(0), number(3), number(1)])
        return context.get_dummy_value()

    del typing_context, address
    return types.void(types.int64), generate


@intrinsic
def words_at(typing_context: Any, address: Any) -> Any:  # noqa: ANN401 - numba's own
    """An address as what ``numba.carray`` makes an array of."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - likewise
        return builder.inttoptr(arguments[0], _WORD.as_pointer())

    del typing_context, address
    return types.CPointer(types.int64)(types.int64), generate  # type: ignore[no-untyped-call]  # numba's own
