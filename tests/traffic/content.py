"""Messages whose payload says whose they are: author, number, size and checksum, then bytes that no other one has."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass, field

MARK = b"cmqt"
HEAD = struct.Struct("!4sIIII")  # mark, author, number, size of the whole payload, CRC-32 of what follows
BLOCK = random.Random(20).randbytes(8 << 20)  # bodies are slices of it


def body(author: int, number: int, size: int) -> bytes:
    """`size` bytes that differ from those of any other author and number in nearly every place."""
    at = (author * 1_000_003 + number * 7_919 + size * 31) * 613 % (len(BLOCK) - size)
    return BLOCK[at : at + size]


@dataclass(eq=False)
class Message:
    """One message as it was published. One that is too small for a head must have a topic to itself."""

    author: int
    number: int
    topic: str
    size: int
    qos: int
    retain: bool = False
    props: dict = field(default_factory=dict)
    resent: bool = False  # its publisher could not know whether it had arrived: at QoS 1 it may come twice
    sent_at: float = 0.0

    def payload(self) -> bytes:
        if self.size < HEAD.size:
            return body(self.author, self.number, self.size)
        tail = body(self.author, self.number, self.size - HEAD.size)
        return HEAD.pack(MARK, self.author, self.number, self.size, zlib.crc32(tail)) + tail

    def __repr__(self) -> str:
        return f"message {self.number} of author {self.author} ({self.size} bytes, QoS {self.qos}, {self.topic!r})"


def named(payload: bytes) -> tuple[int, int] | None:
    """Author and number that a payload's head speaks of."""
    if len(payload) < HEAD.size:
        return None
    mark, author, number, _, _ = HEAD.unpack_from(payload)
    return (author, number) if mark == MARK else None


def first_difference(left: bytes, right: bytes) -> int:
    """Index of the first byte that differs; the shorter length when there is none."""
    low, high = 0, min(len(left), len(right))
    if left[:high] == right[:high]:
        return high
    while high - low > 1:  # invariant: equal before low, a difference before high
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


def difference(payload: bytes, message: Message) -> str:
    """In words: how a payload differs from the one it should be."""
    right = message.payload()
    if len(payload) != len(right):
        return f"{len(payload)} bytes instead of {len(right)}"
    at = first_difference(payload, right)
    found = payload[at : at + 32]
    text = f"wrong from byte {at} on: {found.hex()} instead of {right[at:at + 32].hex()}"
    where = BLOCK.find(found) if len(found) == 32 else -1
    return text + ("; these are bytes of another message" if where >= 0 or MARK in found else "")
