"""A process of its own with two clients that send each other messages: how long did the slowest take?

Run as a program: `pair.py PORT TOPIC`; says "ready" after its first message, ends when its input does, and says then
"<longest round trip in seconds> <number of them>". In a test: `with Pair(port, topic) as pair: ...`, then `pair.longest`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mqtt_wire import WireClient  # noqa: E402

LONG = 300.0


class Pair:
    """Watches a broker from beside the test, whose own work does not slow it."""

    def __init__(self, port: int, topic: str):
        self.longest, self.count = 0.0, 0
        self._command = [sys.executable, str(Path(__file__).resolve()), str(port), topic]

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        out, _ = self._process.communicate(timeout=LONG)
        longest, count = out.split()
        self.longest, self.count = float(longest), int(count)


def main(port: int, topic: str) -> None:
    receiver, sender = WireClient(port), WireClient(port)
    for client in (receiver, sender):
        client.connect()
    receiver.subscribe(topic)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    longest, count = 0.0, 0
    while not ended.wait(0.002 if count else 0):
        begin = time.monotonic()
        sender.send_publish(topic, b"%d" % count)
        receiver.message(topic, b"%d" % count, timeout=LONG)
        if count == 0:
            print("ready", flush=True)
        else:
            longest = max(longest, time.monotonic() - begin)
        count += 1
    for client in (receiver, sender):
        client.disconnect()
    print(longest, count)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
