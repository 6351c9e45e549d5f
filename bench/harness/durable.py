"""Durable sessions: the cases about stores, and their table."""

from harness import table
from harness.cases import Case, Goal, Variant

# Acknowledged messages per second that comqtt is held to.
GOALS = {"full": 50_000, "normal": 100_000}
LATENCY_MS = 20  # from publishing to the acknowledgement, 99 of 100, at half of the goal

# Away for seconds, clients have more messages waiting than the defaults allow: 8,192 each, 1 GiB in all.
LONG_QUEUES = "--set capabilities.maximum-client-writes-pending=100000000 --set limits.queued-bytes=17179869184"

ACKNOWLEDGES = {"full": "once it is on the disk", "normal": "once it is with the kernel",
                "relaxed": "before it saves (1 s)", "memory": "never saves",
                "mosquitto": "before it saves (30 min)"}

HEADER = ("", "case", "broker", "acknowledges", "acked/s", "delivered/s", "us/msg", "B/msg written",
          "ms to ack: p50", "p99", "max", "ms to arrive: p50", "p99", "max", "lost", "dup",
          "reordered", "goal", "")
COLUMNS = (("acknowledged_per_s", 1), ("delivered_per_s", 1), ("broker_us_per_msg", 1),
           ("broker_written_bytes_per_msg", 1), ("ack_p50_us", 1e-3), ("ack_p99_us", 1e-3),
           ("ack_max_us", 1e-3), ("p50_us", 1e-3), ("p99_us", 1e-3), ("max_us", 1e-3),
           ("lost", 1), ("duplicated", 1), ("reordered", 1))


def _variants(goals):
    """comqtt with every kind of store; `goals` by its name."""
    return tuple(Variant(name, store=name, goals=(goals[name],) if name in goals else ())
                 for name in ("full", "normal", "relaxed", "memory"))


def all_cases():
    rates = {name: Goal("acknowledged_per_s", "least", limit, unit="acked/s")
             for name, limit in GOALS.items()}
    cases = [
        Case("p0", "100 pairs, subscribers online", ("durable",), (), variants=_variants(rates),
             durable=True, free=True),
        Case("p1", "100 pairs, subscribers away", ("durable", "--offline"), (),
             variants=_variants(rates), durable=True, flags=LONG_QUEUES, free=True),
    ]
    for number, (name, limit) in enumerate(GOALS.items(), 2):
        goal = Goal("ack_p99_us", "most", LATENCY_MS, 1e-3, "ms to ack p99")
        cases.append(Case(f"p{number}", f"100 pairs, {limit // 2:,}/s",
                          ("durable", "--rate", str(limit // 2)), (),
                          variants=_variants({name: goal}), durable=True, free=True))
    return cases


def rows(case, results):
    """One for each broker that took part."""
    found = []
    goals = {f"comqtt/{variant.name}": variant.goals for variant in case.variants}
    for name, figures in results.items():
        if figures is None:
            continue
        # What came back after the subscribers were away.
        shown = {"delivered_per_s": figures.get("returned_per_s"), **figures}
        cells = [table.number(None if shown.get(key) is None else shown[key] * scale)
                 for key, scale in COLUMNS]
        goal, judged = "", ""
        for wanted in goals.get(name, ()):
            _, goal, met = table.judge(wanted, table.figure_of(figures, wanted), None)
            judged = table.verdict(met, figures)
        kind = name.rpartition("/")[2]
        found.append([case.id, case.title, name, ACKNOWLEDGES.get(kind, ""), *cells, goal, judged])
    return found
