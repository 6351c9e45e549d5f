"""From the runs of all cases to the table."""

import statistics

# Of several repetitions the worst counts here; of all other numbers the median.
WORST = {"lost", "lost_percent", "duplicated", "reordered", "corrupt", "unacknowledged", "bad_acks",
         "stalls", "disconnects", "refused", "without_retain_flag"}
NOISE = 1.1  # what "not worse" allows


def combine(runs):
    """One dict of figures from the dicts of the repetitions, or None without a good one."""
    good = [run for run in runs if "error" not in run]
    if not good:
        return None
    figures = {}
    for name, value in good[0].items():
        values = [run[name] for run in good if name in run]
        if not isinstance(value, (int, float)):
            figures[name] = value
        elif name in WORST:
            figures[name] = max(values)
        else:
            figures[name] = statistics.median(values)
    return figures


def number(value):
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def irregularities(figures):
    """What should be 0 and is not."""
    names = sorted(WORST - {"lost_percent"})
    found = [f"{name} {figures[name]:,.0f}" for name in names if figures.get(name)]
    if figures.get("drained") == 0:
        found.append("not drained")
    if "received" in figures and figures["received"] < figures["retained"]:
        found.append(f"retained received {figures['received']:,.0f}")
    return ", ".join(found)


def judge(goal, own, peer):
    """(ratio or None, the goal as text, True, False or None when there is no peer to compare)."""
    if goal.kind == "most":
        return None, f"<= {number(goal.limit)} {goal.unit}", own is not None and own <= goal.limit
    if goal.kind == "least":
        return None, f">= {number(goal.limit)} {goal.unit}", own is not None and own >= goal.limit
    if not own:  # comqtt failed, or delivered nothing
        return None, "not worse" if goal.kind == "not_worse" else f">= {number(goal.limit)}x", False
    ratio = None if peer is None else peer / own
    if goal.kind == "not_worse":
        return ratio, "not worse", None if ratio is None else ratio * NOISE >= 1
    text = f">= {number(goal.limit)}x"
    return ratio, text, None if ratio is None else ratio >= goal.limit


def figure_of(figures, goal):
    if figures is None or goal.metric not in figures:
        return None
    return figures[goal.metric] * goal.scale


def verdict(met, figures):
    text = {True: "met", False: "MISSED", None: ""}[met]
    return f"{text} (irregular)" if figures is not None and irregularities(figures) else text


def peer_rows(case, results, names):
    """The rows of a case that compares comqtt with the other brokers."""
    rows = []
    for goal in case.goals:
        own = figure_of(results.get("comqtt"), goal)
        peer = figure_of(results.get("mosquitto"), goal)
        ratio, text, met = judge(goal, own, peer)
        cells = [number(figure_of(results.get(name), goal)) for name in names]
        shown = "" if ratio is None else f"{number(ratio)}x"
        judged = verdict(met, results.get("comqtt")) if "comqtt" in results else ""
        rows.append([case.id, case.title, goal.unit, *cells, shown, text, judged])
    return rows


def variant_row(case, results, names):
    """The row of a case that compares comqtt's costs when run in two ways."""
    goal = case.goals[0]
    figures = [results.get(f"comqtt/{variant.name}") for variant in case.variants]
    first, second = (figure_of(each, goal) for each in figures)
    ratio = second / first if first and second else None
    met = ratio is not None and ratio <= goal.limit
    cells = [f"{number(first)} -> {number(second)}"] + [""] * (len(names) - 1)
    shown = "" if ratio is None else f"{number(ratio)}x"
    return [case.id, case.title, goal.unit, *cells, shown, f"<= {goal.limit}x",
            verdict(met, figures[1])]


def markdown(header, rows):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, ["-" * width for width in widths], *rows]:
        lines.append("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |")
    return "\n".join(lines)


# The figures listed for every broker below the table, where a run has them.
DETAILS = (
    ("acknowledged_per_s", "acknowledged/s"), ("delivered_per_s", "delivered/s"),
    ("returned_per_s", "returned/s"), ("broker_us_per_msg", "broker us/msg"),
    ("loadgen_us_per_msg", "loadgen us/msg"), ("broker_cpu_share", "broker cores"),
    ("p50_us", "p50 us"), ("p90_us", "p90 us"), ("p99_us", "p99 us"), ("p999_us", "p99.9 us"),
    ("max_us", "max us"), ("ack_p50_us", "p50 us to ack"), ("ack_p99_us", "p99 us to ack"),
    ("ack_max_us", "max us to ack"), ("broker_written_bytes_per_msg", "B/msg written"),
    ("connects_per_s", "connects/s"),
    ("broker_us_per_connect", "broker us/connect"),
    ("rss_bytes_per_connection", "B/connection"), ("idle_cpu_us_per_s", "idle CPU us/s"),
    ("publish_per_s", "publish/s"), ("broker_us_per_publish", "broker us/publish"),
    ("rss_bytes_per_retained", "B/retained"), ("first_ms", "first ms"),
    ("all_seconds", "all s"), ("before_p99_us", "others' p99 us before"),
    ("during_p50_us", "others' p50 us during"), ("during_p99_us", "others' p99 us during"),
    ("during_max_us", "others' max us during"), ("fairness", "fairness"),
    ("lost_percent", "lost %"), ("others_cores", "others' cores"),
    ("broker_peak_rss_bytes", "peak RSS B"))


def details(name, figures, errors):
    text = f"  {name:12}"
    if figures is not None:
        shown = [f"{label} {number(figures[key])}" for key, label in DETAILS if key in figures]
        text += " " + ", ".join(shown)
        if found := irregularities(figures):
            text += f"  !! {found}"
    for error in errors:
        text += f"\n    failed: {error}"
    return text
