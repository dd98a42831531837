"""Writes GGUF, the model file format of llama.cpp.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: a head of typed values, a list of
tensors, and their numbers, each aligned to 32 bytes; everything little-endian.

Rule of this file: the same values give the same bytes on every machine.
"""

from __future__ import annotations

import array
import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str | Sequence[int] | Sequence[float] | Sequence[str]
Tensors: TypeAlias = Mapping[str, tuple[Sequence[int], Sequence[float]]]  # shape, numbers

_MAGIC, _VERSION, _ALIGNMENT, _FLOAT32 = b"GGUF", 3, 32, 0
# The type numbers of the format, and the struct format of those with a fixed size.
_UINT, _INT, _FLOAT, _BOOL, _TEXT, _LIST = 4, 5, 6, 7, 8, 9
_FORMATS = {_UINT: "<I", _INT: "<i", _FLOAT: "<f", _BOOL: "<?"}


def gguf(values: Mapping[str, Value], tensors: Tensors) -> bytes:
    """Return the bytes of a model file.

    Args:
        values: the metadata; an integer is unsigned, in a list it is signed.
        tensors: shape and numbers by name, with the fastest axis first.
    """
    head = [_MAGIC, struct.pack("<IQQ", _VERSION, len(tensors), len(values))]
    head += [_text(key) + _typed(value) for key, value in values.items()]
    data: list[bytes] = []
    offset = 0
    for name, (shape, numbers) in tensors.items():
        axes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head.append(_text(name) + axes + struct.pack("<IQ", _FLOAT32, offset))
        data.append(_aligned(_floats(numbers)))
        offset += len(data[-1])
    return _aligned(b"".join(head)) + b"".join(data)


def _typed(value: Value) -> bytes:
    kind = _kind(value)
    return struct.pack("<I", kind) + _bytes(value, kind)


def _kind(value: Value) -> int:
    match value:
        case bool():
            return _BOOL
        case int():
            return _UINT
        case float():
            return _FLOAT
        case str():
            return _TEXT
    return _LIST


def _bytes(value: Value, kind: int) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        inner = _INT if (kind := _kind(value[0])) == _UINT else kind
        items = b"".join(_bytes(item, inner) for item in value)
        return struct.pack("<IQ", inner, len(value)) + items
    return struct.pack(_FORMATS[kind], value)


def _text(text: str) -> bytes:
    coded = text.encode()
    return struct.pack("<Q", len(coded)) + coded


def _floats(numbers: Sequence[float]) -> bytes:
    packed = array.array("f", numbers)
    if struct.pack("=h", 1) != struct.pack("<h", 1):
        packed.byteswap()
    return packed.tobytes()


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)
