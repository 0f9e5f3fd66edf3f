# SPDX-License-Identifier: Apache-2.0
"""Reads FlatBuffers tables without trusting a byte: every offset and length is checked before it is followed.

Layout as in FlatBuffers' "Internals" page: little-endian; a table starts with the signed distance back to its
vtable; a vtable is its own size, the table's size, then one 16-bit offset a field (0: the field is absent).
"""

from __future__ import annotations

import struct
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

# Vectors decoded in all may be this many times the file: a good file shares little, a hostile one much.
BUDGET = 8


class FlatbufferError(Exception):
    """The bytes are not what a table says; `byte` is where that was seen."""

    def __init__(self, what: str, byte: int) -> None:
        super().__init__(f"{what} at byte {byte}")
        self.what = what
        self.byte = byte


class Reader:
    """A file's bytes, and how much decoding they have cost so far."""

    _scalars: ClassVar[dict[str, struct.Struct]] = {
        kind: struct.Struct("<" + code)
        for kind, code in {
            "bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
            "int64": "q", "uint64": "Q", "float32": "f",
        }.items()
    }  # fmt: skip

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = BUDGET * len(data) + 65536

    def need(self, start: int, size: int) -> None:
        """Refuses bytes outside the file."""
        if start < 0 or size < 0 or start + size > len(self.data):
            raise FlatbufferError("an offset leads outside the file", max(0, min(start, len(self.data))))

    def spend(self, size: int, start: int) -> None:
        """Counts decoded bytes, so that tables that point at each other's vectors end."""
        self.left -= size
        if self.left < 0:
            raise FlatbufferError("the same bytes are used over and over", start)

    def scalar(self, kind: str, start: int) -> Any:
        """One number."""
        packed = self._scalars[kind]
        self.need(start, packed.size)
        return packed.unpack_from(self.data, start)[0]

    def follow(self, start: int) -> int:
        """Where the unsigned 32-bit offset at `start` leads."""
        target = start + int(self.scalar("uint32", start))
        self.need(target, 4)
        return target

    def root(self) -> Table:
        """The file's root table."""
        return Table(self, self.follow(0))


class Table:
    """One table: fields by slot number, each absent or checked."""

    def __init__(self, reader: Reader, start: int) -> None:
        self.reader = reader
        self.start = start
        self.vtable = start - int(reader.scalar("int32", start))
        reader.need(self.vtable, 4)
        self.vtable_size = int(reader.scalar("uint16", self.vtable))
        self.size = int(reader.scalar("uint16", self.vtable + 2))
        if self.vtable_size < 4 or self.vtable_size % 2 or self.size < 4:
            raise FlatbufferError("a table's field list is damaged", self.vtable)
        reader.need(self.vtable, self.vtable_size)
        reader.need(start, self.size)
        reader.spend(self.vtable_size, self.vtable)

    def _field(self, slot: int) -> int | None:
        """Where the field's bytes are; None: absent."""
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_size:
            return None
        offset = int(self.reader.scalar("uint16", self.vtable + entry))
        if offset == 0:
            return None
        if offset >= self.size:
            raise FlatbufferError("a field lies outside its table", self.vtable + entry)
        return self.start + offset

    def scalar(self, slot: int, kind: str, default: Any) -> Any:
        """A number, or the schema's default where the file leaves it out."""
        place = self._field(slot)
        return default if place is None else self.reader.scalar(kind, place)

    def table(self, slot: int) -> Table | None:
        """A table inside this one."""
        place = self._field(slot)
        return None if place is None else Table(self.reader, self.reader.follow(place))

    def _vector(self, slot: int, width: int) -> tuple[int, int] | None:
        """First byte and element count of a vector."""
        place = self._field(slot)
        if place is None:
            return None
        start = self.reader.follow(place)
        count = int(self.reader.scalar("uint32", start))
        self.reader.need(start + 4, count * width)
        return start + 4, count

    def numbers(self, slot: int, kind: str) -> NDArray[Any] | None:
        """A vector of numbers, as a view of the file."""
        dtype = np.dtype(kind).newbyteorder("<")
        found = self._vector(slot, dtype.itemsize)
        if found is None:
            return None
        start, count = found
        return np.frombuffer(self.reader.data, dtype, count, start)

    def small_numbers(self, slot: int, kind: str) -> tuple[Any, ...]:
        """A vector of numbers as Python's; empty where absent. For lists, not for weights."""
        values = self.numbers(slot, kind)
        if values is None:
            return ()
        self.reader.spend(values.nbytes, self.start)
        return tuple(values.tolist())

    def text(self, slot: int) -> str | None:
        """A string; bytes that are not UTF-8 become U+FFFD."""
        found = self._vector(slot, 1)
        if found is None:
            return None
        start, count = found
        self.reader.spend(count, start)
        return self.reader.data[start : start + count].decode("utf-8", "replace")

    def tables(self, slot: int) -> list[Table]:
        """A vector of tables; empty where absent."""
        found = self._vector(slot, 4)
        if found is None:
            return []
        start, count = found
        self.reader.spend(4 * count, start)
        return [Table(self.reader, self.reader.follow(start + 4 * i)) for i in range(count)]
