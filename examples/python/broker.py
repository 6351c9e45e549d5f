"""A broker for the clients of this machine, in 20 lines: python broker.py [--port 1883] [--seconds N]"""

import argparse
import logging

from comqtt import Server

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=1883, help="0 = a free one")
parser.add_argument("--seconds", type=float, help="end by itself")
arguments = parser.parse_args()

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
server = Server({"capabilities": {"maximum-packet-size": 1_000_000}})
server.allow_loopback()
server.listen_tcp("127.0.0.1", arguments.port)
with server:
    print(f"listening on port {server.port}", flush=True)
    try:
        server.wait(arguments.seconds)
    except KeyboardInterrupt:
        pass
