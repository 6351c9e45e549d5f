"""Many clients on one thread, none of which ever blocks."""

from __future__ import annotations

import itertools
import selectors
import time

from broker import TIME_FACTOR, Broker
from clients import unique_name
from ledger import Ledger
from peer import Peer

DEADLINE = 90.0 * TIME_FACTOR  # seconds for what must come; nothing here is about speed


class Stalled(AssertionError):
    """What must come did not come before the deadline."""


class Crowd:
    """The clients of one test at one broker, and the ledger of what they publish."""

    def __init__(self, broker: Broker):
        self.broker, self.ledger = broker, Ledger()
        self.prefix = unique_name("t")
        self.peers: list[Peer] = []
        self.selector = selectors.DefaultSelector()
        self.eager: set[Peer] = set()  # those with something to send that the system has room for
        self._topics = itertools.count()

    def topic(self, *levels) -> str:
        """A topic of this test; without levels one that nothing else uses."""
        return "/".join(map(str, (self.prefix, *levels))) if levels else f"{self.prefix}/u/{next(self._topics)}"

    def peer(self, version: int = 5, **options) -> Peer:
        """A client whose CONNECT was accepted."""
        return self.several(1, version, **options)[0]

    def several(self, count: int, version: int | None = None, **options) -> list[Peer]:
        """As many clients, of both versions by turns unless one is given."""
        made = [Peer(self, unique_name("c"), version or 4 + n % 2, **options) for n in range(count)]
        self.peers += made
        for each in made:
            each.come()
        self.until(lambda: all(each.accepted for each in made), "the CONNACKs")
        return made

    def subscribe(self, peer: Peer, *filters: str, **options) -> None:
        """Returns when the SUBACK is there."""
        peer.subscribe(*filters, **options)
        self.until(lambda: not peer.asked, f"SUBACK for {peer.name}")

    def turn(self) -> None:
        wait = 0.02
        for each in list(self.eager):
            each.push()
            if each in self.eager:
                wait = 0
        for key, events in self.selector.select(wait):
            peer = key.data
            if events & selectors.EVENT_READ and peer.socket is key.fileobj:
                peer.readable()
            if events & selectors.EVENT_WRITE and peer.socket is key.fileobj:
                peer.push()

    def until(self, condition, what: str, deadline: float = DEADLINE) -> None:
        ends = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > ends:
                states = "\n".join(each.state() for each in self.peers if each.busy())
                raise Stalled(f"{what} expected within {deadline} s\n{states[:4000]}\n{self.broker.log()[-2000:]}")
            self.turn()

    def settle(self, what: str = "everything that was published") -> None:
        """Every message has arrived wherever it should, all handshakes are over, and nothing else came after."""
        self.until(lambda: not self.ledger.outstanding() and not any(each.busy() for each in self.peers), what)
        self.ping()

    def ping(self) -> None:
        """What the broker has sent before its PINGRESPs has been judged."""
        asked = [each for each in self.peers if each.accepted and each.reading]
        for each in asked:
            each.ping()
        self.until(lambda: not any(each.pings for each in asked), "the PINGRESPs")

    def at_once(self) -> None:
        """Sends what waits at all clients while the broker stands still: it finds everything in one moment."""
        with self.broker.stopped():
            for each in self.peers:
                each.push()

    def close(self) -> None:
        for each in self.peers:
            each.leave()
        self.selector.close()
