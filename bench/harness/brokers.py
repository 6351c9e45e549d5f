"""The brokers under test: how each is started, pinned, awaited and stopped."""

import os
import resource
import shlex
import signal
import socket
import subprocess
import tempfile
import time

# Ways for comqtt to keep sessions. A user's file system decides what "full" costs.
STORES = {
    "memory": "--storage-way 0",
    "full": "--storage-way 1 --durability strict --sync full",
    "normal": "--storage-way 1 --durability strict --sync normal",
    "relaxed": "--storage-way 1 --durability relaxed --sync full",
}

# Nothing is dropped: no bound on queued or unacknowledged messages. Nagle off, or the delayed
# acknowledgements of TCP would be measured.
MOSQUITTO_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence {persistence}
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
set_tcp_nodelay true
log_dest none
"""


class Broker:
    """A name and a way to make the command line for a port and a number of threads."""

    def __init__(self, name, command, relay=False):
        self.name = name
        self.command = command
        self.is_relay = relay


def comqtt(path, extra, store="memory"):
    flags = f"{STORES[store]} {extra}"
    return Broker("comqtt", lambda port, threads, folder: [
        path, "--tcp", f"127.0.0.1:{port}", "--threads", str(threads),
        "--storage-path", os.path.join(folder, "comqtt.db"), *shlex.split(flags)])


def store_at(path, file, extra=""):
    """comqtt with a store that is there before it, and stays."""
    return Broker("comqtt", lambda port, threads, folder: [
        path, "--tcp", f"127.0.0.1:{port}", "--threads", str(threads),
        "--storage-path", file, *shlex.split(extra)])


def mosquitto(path, saving=False):
    """With `saving` as Debian has it: every half an hour and at the end it writes all to a file."""
    def command(port, threads, folder):
        persistence = f"true\npersistence_location {folder}/" if saving else "false"
        config = os.path.join(folder, "mosquitto.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(MOSQUITTO_CONFIG.format(port=port, persistence=persistence))
        return [path, "-c", config]
    return Broker("mosquitto", command)


def relay(path):
    return Broker("relay", lambda port, threads, folder: [path, str(port)], relay=True)


def custom(text):
    """--broker name=command; {port} and {threads} in the command are filled in."""
    name, equals, command = text.partition("=")
    if not equals or not name or "{port}" not in command:
        raise SystemExit("--broker is name=command with {port} in the command")
    return Broker(name, lambda port, threads, folder: shlex.split(
        command.replace("{port}", str(port)).replace("{threads}", str(threads))))


def raise_descriptor_limit(wanted=1 << 17):
    """For this process and what it starts; returns the limit it got."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((max(soft, wanted), max(hard, wanted)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            return limit[0]
        except (ValueError, OSError):
            continue
    return soft


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def placement(cores, realtime):
    """A function for preexec_fn: pins the process, and makes it SCHED_FIFO where allowed."""
    def place():
        os.sched_setaffinity(0, cores)
        if realtime:
            try:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
            except OSError:
                pass
    return place


def file_system(folder):
    """Its kind and device, for the report."""
    found, length, place = "an unknown file system", 0, os.path.realpath(folder)
    with open("/proc/mounts", encoding="utf-8") as file:
        for device, mount, kind, *_ in (line.split() for line in file):
            if os.path.commonpath((mount, place)) == mount and len(mount) >= length:
                found, length = f"{kind} ({device})", len(mount)
    return found


class RunningBroker:
    """A started broker; a context manager that stops it and removes its folder."""

    def __init__(self, broker, threads, cores, realtime, parent=None, patience=15, settle=0.2):
        self._patience, self._settle = patience, settle  # seconds
        self._folder = tempfile.TemporaryDirectory(prefix="comqtt-bench-", dir=parent)
        self.port = free_port()
        self.command = broker.command(self.port, threads, self._folder.name)
        # mosquitto started by root gives up its rights and must still read its configuration and
        # write its file.
        os.chmod(self._folder.name, 0o777)
        self._log = open(os.path.join(self._folder.name, "log"), "w+", encoding="utf-8")
        self._process = subprocess.Popen(
            self.command, cwd=self._folder.name, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=self._log, preexec_fn=placement(cores, realtime))
        self.pid = self._process.pid

    def __enter__(self):
        """When it listens, and after the pause that lets it come to rest."""
        try:
            self._await_port()
            time.sleep(self._settle)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def ended(self):
        """A text when the broker ended by itself, else None."""
        code = self._process.poll()
        if code is None:
            return None
        self._log.seek(0)
        return f"the broker ended with {code}: {self._log.read()[-500:].strip()}"

    def _await_port(self):
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            if text := self.ended():
                raise RuntimeError(text)
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.005)
        raise RuntimeError("the broker does not listen")
