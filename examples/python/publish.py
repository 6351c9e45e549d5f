"""The broker as its own client: publish, subscribe with a callback, inject, look around.

    python publish.py [--port 0] [--seconds N]
"""

import argparse
import queue
import time

from comqtt import Server, packets


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 = a free one")
    parser.add_argument("--seconds", type=float, default=10, help="end by itself")
    arguments = parser.parse_args()

    received = queue.Queue()
    server = Server(sys_topic_resend_interval=0)
    server.allow_loopback()
    server.listen_tcp(port=arguments.port)
    with server:
        print(f"listening on port {server.port}", flush=True)
        server.publish("house/door", "open", retain=True)
        subscription = server.subscribe("house/#", received.put, qos=1)

        # In one call, with properties of MQTT 5.0.
        server.publish("house/kitchen", b"21.5", qos=1, properties={"content_type": "text/plain"},
                       user_properties=[("unit", "celsius")])
        # As a client of its own; its messages pass the hooks like anybody's.
        thermostat = server.inline_client("thermostat")
        server.inject(thermostat, packets.publish("house/hall", "19.0"))

        for _ in range(3):
            message = received.get(timeout=10)
            print(f"{message.topic} = {message.payload.decode()} {message.user_properties or ''}", flush=True)
        subscription.unsubscribe()

        # From here on for others: a message a second for who subscribes to "clock".
        end = time.monotonic() + arguments.seconds
        while not server.wait(max(0, min(1, end - time.monotonic()))) and time.monotonic() < end:
            server.publish("clock", time.strftime("%H:%M:%S"), retain=True)
        print(f"{server.metrics()['messages_received']} messages came in", flush=True)


if __name__ == "__main__":
    main()
