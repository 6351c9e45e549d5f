"""The rules of the house as tables: who may include what, and which words the library may not use."""

from __future__ import annotations

LAYERS = ("base", "mqtt", "topics", "session", "hooks", "broker", "net", "auth", "storage", "http", "config", "server")

# Folder of cpp/ -> folders of cpp/ it may include besides itself.
MAY_INCLUDE: dict[str, set[str]] = {
    "base": set(),
    "mqtt": {"base"},
    "topics": {"mqtt", "base"},
    "session": {"mqtt", "base"},
    "hooks": {"mqtt", "base"},
    "broker": {"hooks", "session", "topics", "mqtt", "base"},
    "net": {"broker", "mqtt", "base"},
    "auth": {"hooks", "topics", "mqtt", "base"},
    "storage": {"hooks", "topics", "mqtt", "base"},
    "http": {"hooks", "topics", "mqtt", "base"},
    "config": {"hooks", "topics", "mqtt", "base"},
    "server": set(LAYERS),
}
# Folders of cpp/ that have sub-folders -> the sub-folders that each of these may include. What lies in the folder itself
# stands above them, but for the headers named here.
FLOORS: dict[str, dict[str, set[str]]] = {
    "storage": {"file": set(), "commit": {"file"}, "read": {"commit", "file"}, "tools": {"file"}},
}
BELOW_FLOORS = {"storage/store_config.hpp"}
# Parts of the shard (files of cpp/broker) -> the parts that each may include. None includes the shard: what they have to
# say upwards is returned, or goes by mail (notices.hpp).
PARTS: dict[str, set[str]] = {
    "here": set(),
    "timers": set(),
    "clients": set(),
    "rounds": set(),
    "mail_lanes": set(),
    "outboxes": {"here"},
    "verdicts": {"here", "timers"},
    "loads": {"here", "timers"},
    "retained_shelf": {"here", "timers"},
    "ledger": {"here", "outboxes", "rounds"},
    "ledger_changes": {"ledger", "here", "outboxes", "rounds"},
}
# The C interface stands on the server and on what the server's own headers hand out.
CAPI_MAY_INCLUDE = set(LAYERS) - {"net", "session", "config", "http"}

# First component of a third-party include -> the folders that may use it.
ANYWHERE = {f"cpp/{layer}" for layer in LAYERS} | {"capi", "cpp/program"}
THIRD_PARTY: dict[str, set[str]] = {
    "asio": {"cpp/net"},
    "asio.hpp": {"cpp/net"},
    "mbedtls": {"cpp/net"},
    "wslay": {"cpp/net"},
    "restinio": {"cpp/net", "cpp/http"},
    "http_parser.h": {"cpp/net", "cpp/http"},
    "sqlite3.h": {"cpp/storage"},
    "yaml-cpp": {"cpp/config", "cpp/auth"},
    "nlohmann": {"cpp/config", "cpp/auth", "cpp/http", "cpp/storage"},
    "spdlog": {"cpp/program"},
    "CLI": {"cpp/program"},
    "fmt": ANYWHERE,
    "pybind11": {"bindings/python"},
    "doctest": set(),
}

# Standard headers that give a layer what it must not have: a clock, a thread, a file, a socket.
CLOCKS = {"chrono", "ctime", "time.h", "sys/time.h"}
THREADS = {"thread", "future", "condition_variable", "semaphore", "pthread.h"}
STREAMS = {"iostream", "fstream", "ostream", "istream", "cstdio", "stdio.h", "filesystem"}
SOCKETS = {"unistd.h", "fcntl.h", "poll.h", "netdb.h", "dirent.h", "signal.h", "csignal"}
PLAIN_DATA = {"sys/uio.h"}  # iovec
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "linux/")
FORBIDDEN_STANDARD: dict[str, set[str]] = {
    "mqtt": CLOCKS | THREADS | STREAMS | SOCKETS,
    "topics": CLOCKS | THREADS | STREAMS | SOCKETS,
    "session": CLOCKS | THREADS | STREAMS | SOCKETS,
    "hooks": STREAMS | SOCKETS,
    "broker": CLOCKS | {"thread", "future", "pthread.h"} | STREAMS | SOCKETS,
}
NO_SYSTEM_FOLDERS = set(FORBIDDEN_STANDARD)

# A library does not print, does not end the process and does not touch signal handlers.
FORBIDDEN_CALLS = ("printf", "fprintf", "vprintf", "vfprintf", "puts", "fputs", "putchar", "perror", "abort", "exit",
                   "_exit", "_Exit", "quick_exit", "atexit", "terminate", "signal", "sigaction", "raise")
# A thread that is made elsewhere would take the host's signals.
THREAD_MAKER = "cpp/base/thread.cpp"
FORBIDDEN_NAMES = ("std::cout", "std::cerr", "std::clog", "stdout", "stderr")

# Users of the C interface: comqtt.h and files of their own folder, nothing of cpp/ or capi/.
OUTSIDERS = ("cpp/program", "cpp/plugins", "bindings", "examples", "tests/capi")

LINES_ASK = 400
LINES_REFUSE = 600
