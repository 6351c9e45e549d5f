"""A client that never blocks: publishes from its ledger, judges what it receives, keeps its session's state."""

from __future__ import annotations

import random
import selectors
import socket
import struct
from collections import deque
from dataclasses import dataclass

import mqtt_packets as mp
from content import Message
from ledger import Receiving, Subscription, Wrong
from mqtt_packets import (
    CONNACK, DISCONNECT, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, Packet,
)
from referee import Referee

NEVER = 0xFFFFFFFF
ENOUGH = 1 << 20  # bytes made ready for sending at one time
PIECE = 1 << 18
CUTS = (1, 1, 2, 3, 5, 11, 100, 1460, 4097, 16384, 16385, 40000, 65536, 200000)


@dataclass
class Outgoing:
    message: Message
    released: bool = False  # PUBREC came: only PUBREL is sent again


class Rules(Referee):
    """Of one connection. A PUBREL for a message that a connection before this one had received is in order."""

    def __init__(self, version: int, before: set[int]):
        super().__init__(version)
        self._before = set(before)

    def received(self, packet: Packet) -> None:
        if packet.type in (PUBLISH, PUBREL) and packet.packet_id in self._before:
            self._before.discard(packet.packet_id)
            if packet.type == PUBREL:
                self.unacknowledged.add(packet.packet_id)
        super().received(packet)


class Peer:
    """One client id. Not connected until `come`; `crowd` drives it.

    window: QoS 1 and 2 messages it has under way at most. aliases: topics that it gives an alias, in turn.
    cuts: its packets are sent in pieces cut at places this random generator chooses.
    """

    def __init__(self, crowd, name: str, version: int = 5, *, persistent: bool = False, lossy: bool = False,
                 window: int = 1000, aliases: int = 0, cuts: random.Random | None = None,
                 receive_buffer: int | None = None, props: dict | None = None, will: Message | None = None,
                 will_delay: int = 0):
        self.crowd, self.name, self.version, self.persistent = crowd, name, version, persistent
        self.window, self.cuts, self.receive_buffer = window, cuts, receive_buffer
        self.props = dict(props or {})
        if version == 5 and persistent:
            self.props["session_expiry"] = NEVER
        self.will, self.will_delay = will, will_delay
        self.author = crowd.ledger.author()
        self.receiving = Receiving(crowd.ledger, name, version, lossy or persistent)
        self.socket: socket.socket | None = None
        self.accepted = self.known = False
        self.reading, self.answering = True, True
        self.pings = 0
        self.asked: dict[int, list[Subscription]] = {}
        self.waiting: deque[Message] = deque()
        self.inflight: dict[int, Outgoing] = {}
        self.refused: list[tuple[Message, int]] = []
        self._half: set[int] = set()  # QoS 2 messages received whose PUBREL has not come
        self._ever: set[int] = set()  # packet ids of all QoS 2 messages received
        self._unanswered: list[bytes] = []
        self._next_id = 0
        self._unsent, self._sent = bytearray(), 0  # bytes of packets, and how many of them the system has taken
        self._aliases, self._topics = aliases, {}

    # ---- what a test asks for

    def publish(self, topic: str, size: int, qos: int = 0, retain: bool = False, props: dict | None = None) -> Message:
        message = self.crowd.ledger.message(self.author, topic, size, qos, retain, props)
        self.send_message(message)
        return message

    def send_message(self, message: Message) -> None:
        self.crowd.ledger.expect(message)
        self.waiting.append(message)
        self.crowd.eager.add(self)

    def subscribe(self, *filters: str, qos: int = 0, rap: bool = False, identifier: int = 0,
                  retain_handling: int = 0) -> None:
        subscriptions = [Subscription(each, qos, rap, identifier) for each in filters]
        option = mp.options(qos, rap=rap, retain_handling=retain_handling)
        packet_id = self._packet_id()
        self.asked[packet_id] = subscriptions
        props = {"subscription_id": identifier} if identifier else ()
        self._send(mp.subscribe(packet_id, [(each, option) for each in filters], props, self.version))
        self.receiving.subscribed(*subscriptions)

    def ping(self) -> None:
        self.pings += 1
        self._send(mp.pingreq())

    def pause(self) -> None:
        """Stops reading."""
        self.reading = False
        self._watch()

    def go_on(self) -> None:
        self.reading = True
        self._watch()

    def be_silent(self) -> None:
        """Reads, and answers nothing until `answer`."""
        self.answering = False

    def answer(self) -> None:
        self.answering = True
        pending, self._unanswered = self._unanswered, []
        self._send(b"".join(pending))

    def busy(self) -> bool:
        return bool(self.waiting or self.inflight or self.asked or self._half or self._unsent
                    or self.receiving.due or self.receiving.replays)

    def state(self) -> str:
        receiving = self.receiving
        return (f"{self.name}: {'connected' if self.accepted else 'not connected'}, {len(self.waiting)} to send, "
                f"{len(self.inflight)} in flight, {len(self._unsent)} bytes unsent, {len(self._half)} half received, "
                f"{len(receiving.taken)} taken, {len(receiving.due)} due {sorted(receiving.due)[:3]}, "
                f"{len(receiving.replays)} replays due {sorted(receiving.replays)[:3]}")

    # ---- connections

    def come(self) -> None:
        self._farewell = False
        self.socket = socket.socket()
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", self.crowd.broker.port))
        self.socket.setblocking(False)
        self._buffer, self._unsent, self._sent = bytearray(), bytearray(), 0
        self._events, self._topics = 0, {}
        self._referee = Rules(self.version, self._ever)
        self._referee.announced(self.props)
        self._watch()
        will = None
        if self.will:
            props = {**self.will.props, **({"will_delay": self.will_delay} if self.will_delay else {})}
            will = mp.Will(self.will.topic, self.will.payload(), self.will.qos, self.will.retain, props)
        self._send(mp.connect(self.name, self.version, not self.persistent, keep_alive=0, props=self.props, will=will))

    def leave(self) -> None:
        """DISCONNECT and close. The session, if it is to be kept, waits for `come`."""
        self._farewell = True
        self._send(mp.disconnect(version=self.version))
        self.drop()

    def drop(self, reset: bool = False) -> None:
        """Closes without a word, so that its will is due."""
        if self.socket is None:
            return
        if self.will and self.accepted and not self._farewell:
            self.crowd.ledger.expect(self.will)
        if self._events:
            self.crowd.selector.unregister(self.socket)
            self._events = 0
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.socket, self.accepted, self.pings = None, False, 0
        self._unanswered.clear()
        self._unsent, self._sent = bytearray(), 0
        self.crowd.eager.discard(self)

    def _connected(self, packet: Packet) -> None:
        if packet.reason:
            raise Wrong(f"{self.name}: refused, {packet}")
        if self.known and self.persistent and not packet.session_present:
            raise Wrong(f"{self.name}: its session is gone")
        self.accepted = self.known = True
        self.window = min(self.window, packet.properties.get("receive_maximum", 65535))
        for packet_id, out in self.inflight.items():
            if out.released:
                self._send(mp.ack(PUBREL, packet_id, version=self.version))
            else:
                out.message.resent = True
                self._send(self._encoded(out.message, packet_id, dup=True))
        self.crowd.eager.add(self)

    # ---- sending

    def push(self) -> None:
        """Makes packets of what waits as far as there is room, and gives the system what it takes."""
        if self.socket is None:
            return
        while self.accepted and self.waiting and len(self._unsent) - self._sent < ENOUGH:
            if self.waiting[0].qos and len(self.inflight) >= self.window:
                break
            message = self.waiting.popleft()
            packet_id = self._packet_id() if message.qos else 0
            if message.qos:
                self.inflight[packet_id] = Outgoing(message)
            self._unsent += self._encoded(message, packet_id)
        self._write()
        left = len(self._unsent) - self._sent
        more = self.accepted and self.waiting and not (self.waiting[0].qos and len(self.inflight) >= self.window)
        if (left and self.cuts) or (more and not left):
            self.crowd.eager.add(self)
        else:
            self.crowd.eager.discard(self)
        self._watch()

    def _write(self) -> None:
        try:
            while self._sent < len(self._unsent):
                size = self.cuts.choice(CUTS) if self.cuts else PIECE
                with memoryview(self._unsent) as view:
                    self._sent += self.socket.send(view[self._sent : self._sent + size])
                if self.cuts:
                    break
        except BlockingIOError:
            pass
        except OSError as error:
            raise Wrong(f"{self.name}: {error}") from None
        if self._sent > ENOUGH or self._sent == len(self._unsent):
            del self._unsent[: self._sent]
            self._sent = 0

    def _send(self, data: bytes) -> None:
        if self.socket is None or not data:
            return
        self._unsent += data
        if self.cuts:
            self.crowd.eager.add(self)
        else:
            self._write()
            self._watch()

    def _watch(self) -> None:
        if self.socket is None:
            return
        blocked = self._sent < len(self._unsent) and not self.cuts
        events = (selectors.EVENT_READ if self.reading else 0) | (selectors.EVENT_WRITE if blocked else 0)
        if events == self._events:
            return
        if not self._events:
            self.crowd.selector.register(self.socket, events, self)
        elif not events:
            self.crowd.selector.unregister(self.socket)
        else:
            self.crowd.selector.modify(self.socket, events, self)
        self._events = events

    def _encoded(self, message: Message, packet_id: int, dup: bool = False) -> bytes:
        topic, props = message.topic, dict(message.props)
        if self._aliases:
            known = self._topics.get(topic)
            alias = known or len(self._topics) % self._aliases + 1
            props["topic_alias"] = alias
            if not known:
                self._topics = {each: number for each, number in self._topics.items() if number != alias}
                self._topics[topic] = alias
            topic = "" if known else topic
        return mp.publish(topic, message.payload(), message.qos, message.retain, packet_id or None, props, dup,
                          self.version)

    def _packet_id(self) -> int:
        while True:
            self._next_id = self._next_id % 65535 + 1
            if self._next_id not in self.inflight and self._next_id not in self.asked:
                return self._next_id

    # ---- receiving

    def readable(self) -> None:
        try:
            data = self.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            raise Wrong(f"{self.name}: {error}") from None
        if not data:
            raise Wrong(f"{self.name}: the broker closed the connection\n{self.crowd.broker.log()[-2000:]}")
        self._buffer += data
        at = 0
        while (end := mp.packet_end(self._buffer, at)) is not None:
            packet = mp.parse(bytes(self._buffer[at:end]), self.version, from_server=True)
            at = end
            self._referee.received(packet)
            self._handle(packet)
            if self.socket is None:
                return
        del self._buffer[:at]

    def _handle(self, packet: Packet) -> None:
        if packet.type == PUBLISH:
            self._publish(packet)
        elif packet.type == PUBREL:
            self._half.discard(packet.packet_id)
            self._answer(PUBCOMP, packet.packet_id)
        elif packet.type in (PUBACK, PUBREC, PUBCOMP):
            self._answered(packet)
        elif packet.type == SUBACK:
            subscriptions = self.asked.pop(packet.packet_id)
            if packet.reasons != [each.qos for each in subscriptions]:
                raise Wrong(f"{self.name}: {packet} for {subscriptions}")
        elif packet.type == UNSUBACK:
            self.asked.pop(packet.packet_id)
        elif packet.type == PINGRESP:
            self.pings -= 1
        elif packet.type == CONNACK:
            self._connected(packet)
        else:
            raise Wrong(f"{self.name}: {'sent away' if packet.type == DISCONNECT else 'unexpected'}, {packet}")

    def _publish(self, packet: Packet) -> None:
        if packet.qos == 2 and packet.packet_id in self._half:
            self.crowd.ledger.message_of(packet.topic, packet.payload)  # again: not delivered twice, but the same bytes
            if not packet.dup:
                raise Wrong(f"{self.name}: a packet id in use without DUP, {packet}")
        else:
            self.receiving.take(packet)
        if packet.qos == 2:
            self._half.add(packet.packet_id)
            self._ever.add(packet.packet_id)
        if packet.qos:
            self._answer(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id)

    def _answer(self, type_: int, packet_id: int) -> None:
        self._referee.sent(type_, packet_id, 0)
        data = mp.ack(type_, packet_id, version=self.version)
        if self.answering:
            self._send(data)
        else:
            self._unanswered.append(data)

    def _answered(self, packet: Packet) -> None:
        out = self.inflight.get(packet.packet_id)
        if out is None or packet.type == (PUBREC if out.message.qos == 1 else PUBACK):
            raise Wrong(f"{self.name}: an answer to nothing, {packet}")
        if packet.reason >= 0x80 and packet.type != PUBCOMP:  # PUBCOMP: what a former connection had completed
            self.refused.append((out.message, packet.reason))
            raise Wrong(f"{self.name}: {out.message} was refused, {packet}")
        if packet.type == PUBREC:
            out.released = True
            self._send(mp.ack(PUBREL, packet.packet_id, version=self.version))
        else:
            del self.inflight[packet.packet_id]
            self.crowd.eager.add(self)
