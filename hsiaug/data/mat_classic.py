"""MATLAB files of version 4 to 7, each size checked against the file before it is believed.

scipy's reader of these files is compiled code that trusts the sizes a file states: a flipped bit can end the whole
process, and a packed variable fills memory. Only plain numeric arrays are needed here, which the format (MathWorks,
"MAT-File Format") stores simply.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.bounds import check_array

__all__ = ["list_variables", "read_variable"]

OTHERS = ("cell", "struct", "object", "char", "sparse")
NUMBERS = ("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
CLASSES = dict(enumerate((*OTHERS, *NUMBERS, "function", "opaque"), start=1))
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
STORED_4 = ("f8", "f4", "i4", "i2", "u2", "u1")
MATRIX, COMPRESSED = 14, 15
DOUBLE, OPAQUE = 6, 17
MOST_AXES = 32
LONGEST_NAME = 4096
CHUNK = 2**16


@dataclass(frozen=True)
class _Variable:
    """kind: MATLAB's class. start, stop: where its bytes lie in the file; packed: by zlib. order: of bytes, < or >.

    dtype: of version 4, where the header says it; "" = the data's own tag does.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    start: int
    stop: int
    packed: bool = False
    order: str = "<"
    dtype: str = ""


def list_variables(path: Path) -> list[_Variable]:
    """The variables of a file. Raises ValueError, struct.error or zlib.error where it is damaged."""
    with path.open("rb") as file:
        head = file.read(128)
        size = path.stat().st_size
        if len(head) < 20:
            raise ValueError("the file is shorter than any header")
        if 0 in head[:4]:
            return list(_list_old(file, size))
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        if order is None or struct.unpack(f"{order}H", head[124:126])[0] >> 8 != 1:
            raise ValueError("no header of MATLAB")
        return list(_list_new(file, size, order))


def read_variable(path: Path, variable: _Variable, *, labels: bool) -> NDArray[Any]:
    """A numeric array as it is stored, which may be in a smaller type than its class.

    Raises SceneError for one too large to be read, ValueError, struct.error or zlib.error where the file is damaged.
    """
    with path.open("rb") as file:
        source = _Source(file, variable)
        dtype, inline = np.dtype(variable.dtype or "u1"), b""
        if not variable.dtype:
            _head(source, variable)
            kind, size, inline = _tag(source, variable.order)
            if kind not in STORED:
                raise ValueError(f"numbers of the unknown type {kind}")
            dtype = np.dtype(variable.order + STORED[kind])
            if size != math.prod(variable.shape) * dtype.itemsize:
                raise ValueError(f"{size:,} bytes for an array of {variable.shape}")
        stored = variable.stop - variable.start
        check_array(path, variable.shape, dtype.itemsize, labels=labels, stored=stored)
        array = np.empty(math.prod(variable.shape), dtype=dtype)
        buffer = memoryview(array.data).cast("B") if array.size else memoryview(bytearray())
        if inline:
            buffer[:] = inline[: len(buffer)]
        else:
            source.fill(buffer)
            source.finish()
    return array.astype(dtype.newbyteorder("="), copy=False).reshape(variable.shape, order="F")


class _Source:
    """The bytes of one variable, unpacked where they are packed."""

    def __init__(self, file: BinaryIO, variable: _Variable) -> None:
        self._file, self._left = file, variable.stop - variable.start
        self._unpack = zlib.decompressobj() if variable.packed else None
        file.seek(variable.start)

    def take(self, size: int) -> bytes:
        """The next bytes. Raises ValueError where there are fewer."""
        out = bytearray(size)
        self.fill(memoryview(out))
        return bytes(out)

    def fill(self, buffer: memoryview) -> None:
        """Write the next bytes into all of a buffer. Raises ValueError where there are fewer."""
        done = 0
        while done < len(buffer):
            piece = self._next(len(buffer) - done)
            if not piece:
                raise ValueError("the file ends within an array")
            buffer[done : done + len(piece)] = piece
            done += len(piece)

    def finish(self) -> None:
        """Raise zlib.error where what was unpacked does not have its checksum."""
        while self._unpack is not None and not self._unpack.eof and self._next(CHUNK):
            pass

    def _next(self, most: int) -> bytes:
        if self._unpack is None:
            return self._read(most)
        while not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._read(CHUNK)
            piece = self._unpack.decompress(packed, min(most, 2**20))
            if piece or not packed:
                return piece
        return b""

    def _read(self, most: int) -> bytes:
        piece = self._file.read(min(most, self._left, 2**24))
        self._left -= len(piece)
        return piece


def _list_new(file: BinaryIO, size: int, order: str) -> Iterator[_Variable]:
    """Version 5 to 7: elements of type, size and content."""
    at = 128
    while at < size:
        file.seek(at)
        kind, length = struct.unpack(f"{order}II", file.read(8))
        start, at = at + 8, at + 8 + length
        if at > size:
            raise ValueError(f"a variable of {length:,} bytes at byte {start:,} of {size:,}")
        if kind not in (MATRIX, COMPRESSED):
            raise ValueError(f"an element of type {kind} where a variable must be")
        found = _Variable("", (), "", start, at, kind == COMPRESSED, order)
        name, shape, matlab = _head(_Source(file, found), found)
        if name:  # what has none belongs to MATLAB's functions
            yield _Variable(name, shape, matlab, start, at, found.packed, order)


def _head(source: _Source, variable: _Variable) -> tuple[str, tuple[int, ...], str]:
    """Name, shape and class of a variable; the source is left where its numbers begin."""
    order = variable.order
    if variable.packed and struct.unpack(f"{order}II", source.take(8))[0] != MATRIX:
        raise ValueError("a packed element that is no variable")
    _, _, flags, _ = struct.unpack(f"{order}4I", source.take(16))
    code = flags & 0xFF
    if code not in CLASSES:
        raise ValueError(f"a variable of the unknown class {code}")
    if code == OPAQUE:
        return "", (), CLASSES[code]
    kind, size, inline = _tag(source, order)
    if kind not in (5, 6) or size % 4 or not 0 < size // 4 <= MOST_AXES:
        raise ValueError("a variable without a shape")
    shape = struct.unpack(f"{order}{size // 4}i", _content(source, size, inline))
    if min(shape) < 0:
        raise ValueError(f"an array of {shape}")
    kind, size, inline = _tag(source, order)
    if kind not in (1, 16) or size > LONGEST_NAME:
        raise ValueError("a variable without a name")
    name = _content(source, size, inline).split(b"\0")[0].decode("utf-8", errors="replace")
    matlab = "logical" if flags & 0x200 and code >= DOUBLE else CLASSES[code]
    return name, tuple(shape), f"complex {matlab}" if flags & 0x800 else matlab


def _tag(source: _Source, order: str) -> tuple[int, int, bytes]:
    """Type and size of an element; its content too where that is so short that it stands in the tag."""
    first, second = struct.unpack(f"{order}II", head := source.take(8))
    if first >> 16:
        if first >> 16 > 4:
            raise ValueError("a short element of more than 4 bytes")
        return first & 0xFFFF, first >> 16, head[4:]
    return first, second, b""


def _content(source: _Source, size: int, inline: bytes) -> bytes:
    return inline[:size] if inline else source.take(size + -size % 8)[:size]


def _list_old(file: BinaryIO, size: int) -> Iterator[_Variable]:
    """Version 4: a header of five numbers, a name and the numbers, one matrix after the other."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(20)
        order = "<" if struct.unpack("<I", head[:4])[0] <= 9999 else ">"
        code, rows, columns, imaginary, length = struct.unpack(f"{order}5I", head)
        machine, unused, precision, kind = code // 1000, code // 100 % 10, code // 10 % 10, code % 10
        known = machine <= 1 and unused == 0 and precision < len(STORED_4) and kind <= 2 and imaginary <= 1
        if not known or not 0 < length <= LONGEST_NAME:
            raise ValueError("no header of MATLAB")
        name = file.read(length).split(b"\0")[0].decode("latin-1")
        dtype = np.dtype(order + STORED_4[precision])
        start, at = at + 20 + length, at + 20 + length + rows * columns * dtype.itemsize * (1 + imaginary)
        if at > size:
            raise ValueError(f"a matrix of {rows}×{columns} at byte {start:,} of {size:,}")
        matlab = "complex double" if imaginary else ("double", "char", "sparse")[kind]
        stop = start + rows * columns * dtype.itemsize
        yield _Variable(name, (rows, columns), matlab, start, stop, order=order, dtype=dtype.str)
