"""An MQTT client over an in-memory pipe: exact packets in, exact packets out, no network and no time."""

from __future__ import annotations

from comqtt import Packet, PacketType, Server, packets

PATIENCE = 20  # seconds; only a failing test waits that long


class Peer:
    def __init__(self, server: Server, version: int = 5):
        self.version = version
        self.pipe = server.connect_pipe()
        self._bytes = b""

    @classmethod
    def connected(cls, server: Server, client_id: str, version: int = 5, **fields) -> Peer:
        peer = cls(server, version)
        assert peer.connect(client_id, **fields).reason == 0
        return peer

    def connect(self, client_id: str, **fields) -> Packet:
        """Sends CONNECT and gives the CONNACK."""
        self.send(packets.connect(client_id, version=self.version, **fields))
        return self.expect(PacketType.CONNACK)

    def send(self, packet: Packet) -> None:
        self.pipe.write(packet.encode())

    def receive(self) -> Packet | None:
        """The next packet; None = the server has closed."""
        while (decoded := Packet.decode(self._bytes, self.version, from_server=True)) is None:
            more = self.pipe.read(timeout=PATIENCE)
            if not more:
                return None
            self._bytes += more
        packet, used = decoded
        self._bytes = self._bytes[used:]
        return packet

    def expect(self, kind: PacketType) -> Packet:
        packet = self.receive()
        assert packet is not None, f"closed instead of {kind!r}"
        assert packet.type == kind, f"{PacketType(packet.type)!r} instead of {kind!r}"
        return packet

    def subscribe(self, *filters, **fields) -> list[int]:
        self.send(packets.subscribe(*filters, version=self.version, **fields))
        return list(self.expect(PacketType.SUBACK).reason_codes)

    def publish(self, topic: str, payload=b"", **fields) -> None:
        self.send(packets.publish(topic, payload, version=self.version, **fields))

    def publish_acknowledged(self, topic: str, payload=b"", **fields) -> int:
        """QoS 1; the reason code of the PUBACK."""
        self.publish(topic, payload, qos=1, packet_id=7, **fields)
        return self.expect(PacketType.PUBACK).reason

    def is_quiet(self) -> bool:
        """True when the server has nothing to say but the answer to a ping."""
        self.send(packets.pingreq(version=self.version))
        return self.expect(PacketType.PINGRESP) is not None

    def vanish(self) -> None:
        self.pipe.close()
