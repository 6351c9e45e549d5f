"""What is measured: one line per case, with the goal that comqtt is held to."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Goal:
    """A figure of comqtt and its limit.

    kind "ratio": the peer's figure divided by comqtt's is at least the limit.
    kind "most", "least": comqtt's figure is at most, at least the limit.
    kind "not_worse": comqtt's figure is at most 1.1 times the peer's (noise), limit unused.
    """

    metric: str
    kind: str
    limit: float = 0.0
    scale: float = 1.0  # the shown figure is the measured one times this
    unit: str = ""


@dataclass(frozen=True)
class Variant:
    """One of the ways to run comqtt that a case compares."""

    name: str
    threads: int = 1
    store: str = "memory"  # of brokers.STORES
    goals: tuple = ()


@dataclass(frozen=True)
class Case:
    id: str
    title: str
    args: tuple
    goals: tuple
    timed: bool = True  # takes --warmup and --duration
    realtime: bool = False  # both processes under SCHED_FIFO where that is allowed
    relay: bool = False  # the relay can do it
    variants: Optional[tuple] = None  # compare comqtt with itself, the second with the first
    durable: bool = False  # about stores: harness/durable.py
    flags: str = ""  # comqtt's, beside those of the variant
    free: bool = False  # both processes on both cores


def _cost(limit, metric="broker_us_per_msg", unit="us/msg"):
    return Goal(metric, "ratio", limit, unit=unit)


def _args(text):
    return tuple(text.split())


def all_cases(idle_connections, retained):
    """The cases in the order they are run and shown."""
    latency = (Goal("p50_us", "not_worse", unit="us p50"),
               Goal("p99_us", "not_worse", unit="us p99"))
    threads = ("pair", "pairs --pairs 100", "fanout --clients 100",
               "pairs --pairs 50 --qos 1 --window 100")
    cases = [
        Case("a", "1 pair, QoS 0, 64 B", _args("pair"), (_cost(60),), relay=True),
        Case("b", "100 pairs, QoS 0", _args("pairs --pairs 100"), (_cost(60),), relay=True),
        Case("c", "fan-out 1:100", _args("fanout --clients 100"), (_cost(50),), relay=True),
        Case("d", "fan-in 100:1", _args("fanin --clients 100"), (_cost(60),), relay=True),
        Case("e", "50 pairs, QoS 1, window 100", _args("pairs --pairs 50 --qos 1 --window 100"),
             (_cost(40),)),
        Case("f", "10 pairs, QoS 2, window 100", _args("pairs --pairs 10 --qos 2 --window 100"),
             (_cost(40),)),
        Case("g", "10 pairs, 16 KiB, QoS 0", _args("pairs --pairs 10 --size 16384"),
             (_cost(2.5),), relay=True),
        Case("k", "100 clients x 1,000 wildcard filters",
             _args("wildcard --clients 100 --filters 1000"), (_cost(25),)),
        Case("s", "shared group, 2 publishers, 4 members",
             _args("shared --publishers 2 --clients 4"), (_cost(1),)),
        Case("i0", "latency, 20,000/s, QoS 0", _args("latency --pairs 10 --rate 20000"), latency,
             realtime=True),
        Case("i1", "latency, 20,000/s, QoS 1", _args("latency --pairs 10 --rate 20000 --qos 1"),
             latency, realtime=True),
        Case("h", f"{idle_connections:,} idle connections",
             _args(f"idle --clients {idle_connections}"),
             (Goal("rss_bytes_per_connection", "most", 1.2 * 1024, unit="B/conn"),),
             timed=False),
        Case("n", f"connect storm, {idle_connections:,}",
             _args(f"connect --clients {idle_connections}"),
             (Goal("broker_us_per_connect", "ratio", 1, unit="us/connect"),),
             timed=False),
        Case("j", f"{retained:,} retained, then '#'", _args(f"retained --retained {retained}"),
             (Goal("broker_rss_bytes", "most", 300, 1 / (1 << 20), "MiB"),
              Goal("during_p99_us", "most", 10, 1e-3, "ms p99 of others"),
              Goal("all_seconds", "ratio", 1, unit="s to deliver")),
             realtime=True),
        Case("o", "open-loop flood, 10 pairs, QoS 0", _args("flood --pairs 10"),
             (Goal("lost", "most", 0, unit="lost"),), timed=False),
    ]
    goal = Goal("broker_us_per_msg", "most", 1.5, unit="us/msg")
    for number, args in enumerate(threads):
        cases.append(Case(f"t{number}", f"2 threads / 1 thread: {args}", _args(args), (goal,),
                          variants=(Variant("1", 1), Variant("2", 2)), free=True))
    goal = Goal("broker_us_per_msg", "most", 1.05, unit="us/msg")
    for number, args in enumerate(("pair", "pairs --pairs 50 --qos 1 --window 100")):
        cases.append(Case(f"v{number}", f"a store / none, clean sessions: {args}", _args(args),
                          (goal,), variants=(Variant("none"), Variant("store", store="full"))))
    return cases


def select(cases, only):
    """The cases named by `only`: whole ids, or a first letter for all of its kind."""
    if not only:
        return cases
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    for name in wanted:
        if not any(case.id == name or case.id[0] == name for case in cases):
            raise SystemExit(f"--only: no case {name!r}; there are {', '.join(c.id for c in cases)}")
    return [case for case in cases if case.id in wanted or case.id[0] in wanted]
