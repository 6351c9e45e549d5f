"""A store: sessions, their messages and retained messages survive the end of the process, in one SQLite file.

    python store.py [--file comqtt-python.db] [--port 1883] [--seconds N]

store_changes only hands batches to a thread, which commits all that came while it wrote the last ones and then completes
them: what is acknowledged is on the disk. (The library has a store of its own, far faster; this shows how one is made.)
"""

import argparse
import json
import logging
import queue
import sqlite3
import threading

from comqtt import (PENDING, ChangeKind, Hook, Packet, Server, Status, StoredClient, StoredMessage, StoredState,
                    StoredSubscription, packets)

SCHEMA = """create table if not exists state (kind text, client text, name text, position integer, packet_id integer,
    state integer, fields text, packet blob, primary key (kind, client, name, position)) without rowid"""
SESSION = ("id", "username", "remote", "listener", "version", "session_expiry_s", "disconnected_ms", "will_due_ms",
           "will_delay_s")
SUBSCRIPTION = ("client_id", "filter", "qos", "no_local", "retain_as_published", "retain_handling", "identifier")
MESSAGE = ("client_id", "origin", "share", "created_ms", "position")


def wire(packet):
    """The bytes of a packet; one that has no packet id yet gets one, which is not looked at again."""
    if packet is None:
        return None
    copy = packet.clone()
    copy.packet_id = copy.packet_id or 1
    return copy.encode()


def packet_from(data, packet_id=0):
    if data is None:
        return None
    packet, _ = Packet.decode(data, from_server=True)
    packet.packet_id = packet_id
    return packet


def to_json(record, names):
    return json.dumps({name: getattr(record, name) for name in names})


class Store(Hook):
    id = "sqlite in python"

    def __init__(self, path):
        self.path = path
        self.batches = queue.Queue()
        self.database().execute(SCHEMA)
        self.writer = threading.Thread(target=self.write)
        self.writer.start()

    def database(self):
        database = sqlite3.connect(self.path)
        database.execute("pragma synchronous = full")
        return database

    def stop(self):
        self.batches.put(None)

    # Writing.

    def store_changes(self, event, changes):
        self.batches.put(changes)
        return PENDING

    def write(self):
        database = self.database()
        over = False
        while not over:
            group = [self.batches.get()]
            while not self.batches.empty():
                group.append(self.batches.get())
            over = None in group
            group = [changes for changes in group if changes is not None]
            status, text = Status.OK, ""
            try:
                with database:  # one transaction
                    for changes in group:
                        for change in changes:
                            self.write_change(database, change)
            except Exception as error:  # whatever it is, the batches are answered
                status, text = Status.STORAGE, str(error)
            for changes in group:
                changes.complete(status, text)
        database.close()

    def write_change(self, database, change):
        kind, client = change.kind, change.client_id

        def put(table, name="", fields="", packet=None, position=0, state=0):
            database.execute("replace into state values (?, ?, ?, ?, ?, ?, ?, ?)",
                             (table, client, name, position, change.packet_id, state, fields, wire(packet)))

        def remove(table, name="", position=0):
            database.execute("delete from state where kind = ? and client = ? and name = ? and position = ?",
                             (table, client, name, position))

        if kind == ChangeKind.SESSION_SAVED:
            put("session", fields=to_json(change.session, SESSION), packet=change.session.will)
        elif kind == ChangeKind.SESSION_REMOVED:
            database.execute("delete from state where client = ? and kind <> 'blocked'", (client,))
        elif kind == ChangeKind.SUBSCRIPTION_SAVED:
            put("subscription", change.subscription.filter, to_json(change.subscription, SUBSCRIPTION))
        elif kind == ChangeKind.SUBSCRIPTION_REMOVED:
            remove("subscription", change.text)
        elif kind == ChangeKind.MESSAGE_QUEUED:
            message = change.message
            put("message", "", to_json(message, MESSAGE), message.packet, change.position, message.state)
        elif kind == ChangeKind.MESSAGE_SENT:
            database.execute("update state set packet_id = ?, state = ? where kind = 'message' and client = ?"
                             " and position = ?", (change.packet_id, StoredState.SENT, client, change.position))
        elif kind == ChangeKind.MESSAGE_RELEASED:
            database.execute("update state set state = ? where kind = 'message' and client = ? and position = ?",
                             (StoredState.RELEASED, client, change.position))
        elif kind == ChangeKind.MESSAGE_REMOVED:
            remove("message", position=change.position)
        elif kind == ChangeKind.RECEIVED_ADDED:
            put("received", position=change.packet_id)
        elif kind == ChangeKind.RECEIVED_REMOVED:
            remove("received", position=change.packet_id)
        elif kind == ChangeKind.RETAINED_SAVED:
            message = change.message
            put("retained", message.packet.topic, to_json(message, MESSAGE), message.packet)
        elif kind == ChangeKind.RETAINED_REMOVED:
            remove("retained", change.text)
        elif kind == ChangeKind.CLIENT_BLOCKED:
            put("blocked")
        elif kind == ChangeKind.CLIENT_UNBLOCKED:
            remove("blocked")

    # Reading, when the server starts.

    def rows(self, kind):
        return self.database().execute("select client, packet_id, state, fields, packet from state where kind = ?"
                                       " order by client, position", (kind,)).fetchall()

    def stored_clients(self, event, sink):
        for _, _, _, fields, will in self.rows("session"):
            sink.add_client(StoredClient(**json.loads(fields), will=packet_from(will)))
        for client, *_ in self.rows("blocked"):
            sink.add_blocked(client)

    def stored_subscriptions(self, event, sink):
        for _, _, _, fields, _ in self.rows("subscription"):
            sink.add_subscription(StoredSubscription(**json.loads(fields)))

    def stored_inflight_messages(self, event, sink):
        for _, packet_id, state, fields, data in self.rows("message"):
            sink.add_message(StoredMessage(**json.loads(fields), state=state, packet=packet_from(data, packet_id)))
        for client, packet_id, *_ in self.rows("received"):
            sink.add_message(StoredMessage(client_id=client, state=StoredState.RECEIVED,
                                           packet=packets.publish("", qos=2, packet_id=packet_id)))

    def stored_retained_messages(self, event, sink):
        for _, _, _, fields, data in self.rows("retained"):
            sink.add_message(StoredMessage(**json.loads(fields), packet=packet_from(data)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default="comqtt-python.db")
    parser.add_argument("--port", type=int, default=1883, help="0 = a free one")
    parser.add_argument("--seconds", type=float, help="end by itself")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")

    server = Server()
    server.add_hook(Store(arguments.file))
    server.allow_loopback()
    server.listen_tcp(port=arguments.port)
    with server:
        print(f"listening on port {server.port}", flush=True)
        try:
            server.wait(arguments.seconds)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
