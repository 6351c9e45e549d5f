"""Hooks: who may come in, what they may do, and what becomes of their messages.

    python hooks.py [--port 1883] [--seconds N]

The user name "guest" may read; "alice" with the password "wonderland" may also write. The password is looked up on
another thread while the server goes on; a slow database would look the same.
"""

import argparse
import logging
from concurrent.futures import ThreadPoolExecutor

from comqtt import ALLOW, DENY, IGNORE, PENDING, PROCEED, Access, Hook, Reason, Server

PASSWORDS = {"alice": b"wonderland"}


class Rules(Hook):
    def __init__(self):
        self.lookups = ThreadPoolExecutor(2)

    def on_connect_authenticate(self, event, client, packet):
        if packet.username == "guest":
            return ALLOW
        self.lookups.submit(self.look_up, event.defer(), packet.username, packet.password)
        return PENDING

    def look_up(self, deferral, username, password):
        if password is not None and PASSWORDS.get(username) == password:
            deferral.complete(ALLOW)
        else:
            deferral.complete(DENY, Reason.BAD_USER_NAME_OR_PASSWORD, "nobody of that name and password")

    def on_acl_check(self, event, client, topic, access):
        return ALLOW if access == Access.READ or client.username == "alice" else DENY

    def stop(self):
        self.lookups.shutdown(wait=False)


class Editor(Hook):
    """Says on each message who sent it, and keeps drafts back."""

    def on_publish(self, event, client, packet):
        if packet.topic.startswith("drafts/"):
            return IGNORE
        packet.user_properties = [*packet.user_properties, ("sender", client.username)]
        return PROCEED

    def on_disconnect(self, event, client, info):
        logging.info("%s has gone: %s", client.id, info["text"] or "goodbye")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=1883, help="0 = a free one")
    parser.add_argument("--seconds", type=float, help="end by itself")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")

    server = Server()
    server.add_hook(Rules())
    server.add_hook(Editor())
    server.listen_tcp(port=arguments.port)
    with server:
        print(f"listening on port {server.port}", flush=True)
        try:
            server.wait(arguments.seconds)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
