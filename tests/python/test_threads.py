"""The interpreter's lock: no deadlock, no callback after the end, a clean exit whatever is still running."""

import gc
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest
from peer import PATIENCE, Peer

from comqtt import Error, PacketType, Server, State, Status


def run_script(text: str) -> str:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_stop_waits_for_a_running_callback_without_a_deadlock(server):
    inside, finish = threading.Event(), threading.Event()
    done = []

    def slow(event, client, packet):
        inside.set()
        assert finish.wait(PATIENCE)
        done.append(packet.topic)
    server.add_hook(on_published=slow)
    Peer.connected(server, "x").publish("t")
    assert inside.wait(PATIENCE)
    stopper = threading.Thread(target=server.close)
    stopper.start()
    assert server.state != State.NEW  # the interpreter is free while close waits
    finish.set()
    stopper.join(PATIENCE)
    assert not stopper.is_alive()
    assert done == ["t"]


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_server_can_be_ended_from_its_own_callback(server, how):
    server.subscribe("end", lambda message: getattr(server, how)())
    server.publish("end")
    try:
        assert server.wait(PATIENCE)
    except Error as error:
        assert error.status in (Status.CLOSED, Status.STATE)
    server.close()


def test_waiting_calls_are_refused_in_a_callback(manual):
    statuses = queue.Queue()

    def try_to_wait(message):
        for blocking in (lambda: manual.advance(1), manual.wait, manual.start):
            try:
                blocking()
            except Error as error:
                statuses.put(error.status)
    manual.subscribe("t", try_to_wait)
    manual.publish("t")
    assert [statuses.get(timeout=PATIENCE) for _ in range(3)] == [Status.REENTRANT] * 3


def test_many_threads_use_one_server(server):
    received = queue.Queue()
    server.subscribe("n/#", received.put)

    def work(number):
        for count in range(200):
            server.publish(f"n/{number}", str(count))
            server.metrics()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    counts = {}
    for _ in range(1600):
        message = received.get(timeout=PATIENCE)
        assert int(message.payload) == counts.get(message.topic, 0)
        counts[message.topic] = int(message.payload) + 1
    for thread in threads:
        thread.join()


def test_close_while_other_threads_publish_gives_them_an_error(server):
    started, statuses = threading.Barrier(5), queue.Queue()

    def work():
        started.wait()
        try:
            while True:
                server.publish("t", "x")
        except Error as error:
            statuses.put(error.status)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    server.close()
    assert {statuses.get(timeout=PATIENCE) for _ in threads} <= {Status.CLOSED, Status.STATE}
    for thread in threads:
        thread.join()


def test_a_forgotten_server_is_stopped_and_freed_with_its_hooks():
    class Witness:
        def __call__(self, event, client, packet):
            pass
    witness = Witness()
    gone = weakref.ref(witness)
    server = Server(log=False, threads=1)
    server.allow_all()
    server.add_hook(on_publish=witness)
    server.start()
    peer = Peer.connected(server, "x")
    del server, witness
    gc.collect()
    while peer.receive() is not None:
        pass
    assert gone() is None


def test_the_log_thread_of_a_forgotten_server_ends():
    before = set(threading.enumerate())
    server = Server(threads=1)
    (log_thread,) = set(threading.enumerate()) - before
    del server
    gc.collect()
    log_thread.join(PATIENCE)
    assert not log_thread.is_alive()


def test_a_forked_child_ends_and_leaves_the_server_alone():
    assert run_script("""
        import os, sys
        from comqtt import Server
        server = Server(threads=2)
        server.start()
        child = os.fork()
        if child == 0:
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), server.metrics()["threads"] > 0)
        """) == "7 True\n"


def test_user_data_is_freed_when_a_call_fails(server):
    def callback(message):
        pass
    gone = weakref.ref(callback)
    with pytest.raises(Error):
        server.subscribe("a/#/b", callback)
    del callback
    gc.collect()
    assert gone() is None


def test_a_script_that_forgets_its_server_ends_cleanly():
    assert run_script("""
        from comqtt import Server, packets
        server = Server(threads=2)
        server.allow_all()
        server.listen_tcp()
        server.start()
        pipe = server.connect_pipe()
        pipe.write(packets.connect("x").encode())
        assert pipe.read(timeout=20)
        server.add_hook(on_stopped=lambda event: print("stopped", flush=True))
        """) == "stopped\n"


def test_a_script_may_end_while_callbacks_are_running():
    run_script("""
        import threading
        from comqtt import Error, Server
        server = Server(threads=2)
        started = threading.Event()
        def forward(message):
            started.set()
            try:
                server.publish("loop", message.payload)
            except Error:
                pass  # the server stops
        server.start()
        server.subscribe("loop", forward)
        server.publish("loop", "round and round")
        assert started.wait(20)
        """)


def test_a_script_that_fails_still_stops_its_server():
    done = subprocess.run([sys.executable, "-c", "from comqtt import Server\ns = Server()\ns.start()\nraise SystemExit(3)"],
                          timeout=PATIENCE)
    assert done.returncode == 3


def test_after_the_end_no_new_server_is_made():
    assert run_script("""
        import atexit
        def late():
            from comqtt import Server
            try:
                Server()
            except RuntimeError as error:
                print(error)
        atexit.register(late)
        import comqtt
        """) == "the interpreter is ending\n"


def test_ctrl_c_ends_a_waiting_script():
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent("""
        from comqtt import Server
        server = Server(threads=1)
        server.add_hook(on_started=lambda event: print("up", flush=True))
        server.run()
        print("down", flush=True)
        """)], stdout=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert (output, process.returncode) == ("down\n", 0)


def test_a_read_from_a_pipe_lets_other_threads_run(server):
    peer = Peer(server)
    answers = queue.Queue()
    reader = threading.Thread(target=lambda: answers.put(peer.connect("x").type))
    reader.start()
    assert answers.get(timeout=PATIENCE) == PacketType.CONNACK
    reader.join()
