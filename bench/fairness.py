#!/usr/bin/env python3
"""Measures what a pair of clients loses to one that never reads and keeps coming back: see bench/README.md."""

import argparse
import os
import socket
import struct
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comqtt", default=os.path.join(ROOT, "build/release/comqtt"))
    parser.add_argument("--comqtt-args", default="", help="more flags for comqtt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=int, default=1000, help="messages per second (1000)")
    parser.add_argument("--size", type=int, default=4000, help="bytes of a payload (4000)")
    parser.add_argument("--period", type=float, default=3.0, help="seconds between two visits (3)")
    parser.add_argument("--duration", type=float, default=12.0, help="seconds (12)")
    return parser.parse_args()


def connect(port, name, receive_buffer=None):
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect(("127.0.0.1", port))
    body = b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name.encode()
    client.sendall(bytes((0x10, len(body))) + body)
    assert client.recv(4) == b"\x20\2\0\0", "CONNECT refused"
    return client


def subscribe(client, topic_filter):
    body = b"\0\1" + struct.pack(">H", len(topic_filter)) + topic_filter.encode() + b"\0"
    client.sendall(bytes((0x82, len(body))) + body)
    assert client.recv(5)[0] == 0x90


def publish_packet(topic, payload):
    body = struct.pack(">H", len(topic)) + topic.encode() + payload
    size, left = b"", len(body)
    while True:
        left, byte = left >> 7, left & 0x7F
        size += bytes((byte | (0x80 if left else 0),))
        if not left:
            return b"\x30" + size + body


def measure(port, options, visited):
    """Messages per second that arrive, and the longest time between two."""
    receiver, publisher = connect(port, "receiver"), connect(port, "publisher")
    subscribe(receiver, "pair")
    packet = publish_packet("pair", b"x" * options.size)
    ends, visitors = time.monotonic() + options.duration, []

    def publish():
        due = time.monotonic()
        while due < ends:
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            publisher.sendall(packet)
            due = max(due + 1 / options.rate, time.monotonic() - 0.25)  # what was missed for long is lost

    def visit():
        while time.monotonic() < ends:
            visitors.append(connect(port, f"visitor{len(visitors)}", 4096))
            subscribe(visitors[-1], "#")
            time.sleep(options.period)
            visitors[-1].close()

    threads = [threading.Thread(target=work, daemon=True) for work in ([publish, visit] if visited else [publish])]
    received, gap, begin = 0, 0.0, time.monotonic()
    last = begin
    for thread in threads:
        thread.start()
    receiver.settimeout(0.1)
    while (now := time.monotonic()) < ends:
        try:
            received += len(receiver.recv(1 << 20))
        except TimeoutError:
            continue
        now = time.monotonic()
        gap, last = max(gap, now - last), now
    gap = max(gap, ends - last)
    for thread in threads:
        thread.join(options.period + 1)
    publisher.close()
    receiver.close()
    return received / len(packet) / options.duration, gap


def main():
    options = parse_arguments()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = subprocess.Popen([options.comqtt, "--tcp", f"127.0.0.1:{port}", "--threads", str(options.threads),
                               "--storage-way", "0", *options.comqtt_args.split()], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        for visited in (False, True):
            rate, gap = measure(port, options, visited)
            print(f"{'with a visitor that never reads' if visited else 'the pair alone':>32}: "
                  f"{rate:7.0f} messages/s, longest gap {gap:.3f} s")
    finally:
        broker.terminate()
        broker.wait()


if __name__ == "__main__":
    sys.exit(main())
