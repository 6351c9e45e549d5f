"""One MQTT 3.1.1 client with a persistent session that takes what waits for it."""

import socket
import struct

CONNACK, PUBLISH = 2, 3


class Client:
    """Connects and waits for CONNACK. A context manager."""

    def __init__(self, port, client_id, seconds=30):
        self._socket = socket.create_connection(("127.0.0.1", port), seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = b""
        name = client_id.encode()
        body = b"\0\4MQTT\4\0" + struct.pack(">HH", 0, len(name)) + name
        self._socket.sendall(bytes((0x10, len(body))) + body)
        kind, answer = self._packet()
        if kind >> 4 != CONNACK or answer[1] != 0:
            raise RuntimeError(f"{client_id}: CONNECT refused")
        self.session_present = bool(answer[0] & 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.sendall(b"\xe0\0")
        self._socket.close()

    def take(self, count):
        """That many QoS 1 messages as (topic, payload), all acknowledged at the end."""
        found, answers = [], b""
        while len(found) < count:
            kind, body = self._packet()
            if kind >> 4 != PUBLISH:
                continue
            length, = struct.unpack_from(">H", body)
            found.append((body[2:2 + length].decode(), body[4 + length:]))
            answers += b"\x40\2" + body[2 + length:4 + length]
        self._socket.sendall(answers)
        return found

    def _packet(self):
        while True:
            if packet := self._cut():
                return packet
            data = self._socket.recv(65536)
            if not data:
                raise RuntimeError("the broker closed the connection")
            self._input += data

    def _cut(self):
        size, shift = 0, 0
        for at, byte in enumerate(self._input[1:5], 2):
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if len(self._input) < at + size:
                    return None
                packet = self._input[0], self._input[at:at + size]
                self._input = self._input[at + size:]
                return packet
        return None
