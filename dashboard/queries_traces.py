"""
What the Traces page reads: a search, one trace with its spans, logs and objects, and the traces it is linked with across
queues.

Why a trace is followed over links and not only over parents: a queue ends a trace and begins another one, and what happened
to an order is on both sides of it.

Why a viewer of a part sees a trace whole or not at all: its spans share what they say of a message, and no span alone says
whose it is. He sees it if it is about business objects, and all of them are of his part.
"""

from __future__ import annotations

from datetime import datetime

from dashboard.limits import is_limited
from dashboard.queries import CALM_S, LIVE_S, Rows, ask, ask_whole, cached, objects_by_id, traces_seen

MOST_TRACES, MOST_HOPS, MOST_LINKED = 100, 6, 40
LOOKED_AT = 2_000  # the newest that match, of which a viewer of a part is shown his


@cached(LIVE_S)
def search(
    as_of: datetime | None,
    scope: tuple[str, ...],
    length_s: int,
    *,
    key: str = "",
    service: str = "",
    interface: str = "",
    is_error: bool = False,
    min_s: float = 0.0,
) -> Rows:
    """The newest traces that match, at most a hundred. `key` is a trace id or a business key, and looks back without limit."""
    trace = key if len(key) == 32 and not key.strip("0123456789abcdef") else ""
    rows = ask(
        """
        SELECT trace FROM found_traces(
            from = WINDOW_START, trace = {trace:String}, key = {key:String},
            service = {service:String}, interface = {interface:String}, is_error = {is_error:Bool},
            min_s = {min_s:Float64}, most = {most:UInt32}, SCOPED)
        ORDER BY last_at DESC, trace
        """,
        as_of, scope, length_s=length_s, trace=trace, key="" if trace else key, service=service, interface=interface,
        is_error=is_error, min_s=min_s, most=LOOKED_AT if is_limited() else MOST_TRACES,
    )  # fmt: skip
    found = [r["trace"] for r in rows]
    if is_limited():
        ours = set(traces_seen(found))
        found = [trace for trace in found if trace in ours][:MOST_TRACES]
    return sorted(_summaries(found), key=lambda r: r["at"], reverse=True)


@cached(CALM_S)
def names(as_of: datetime | None, length_s: int) -> dict[str, list[str]]:
    """The services and interfaces that spoke in the window, for the choices of the search; none for a viewer of a part."""
    if is_limited():
        return {"services": [], "interfaces": []}
    rows = ask(
        """
        SELECT arraySort(groupUniqArray(toString(service))) AS services,
               arraySort(groupUniqArray(toString(interface))) AS interfaces
        FROM interface_calls WHERE at > WINDOW_START AND at <= AS_OF
        """,
        as_of, length_s=length_s,
    )  # fmt: skip
    return {"services": rows[0]["services"], "interfaces": rows[0]["interfaces"]}


@cached(LIVE_S)
def spans(trace: str) -> Rows:
    """The spans of a trace, each once, in order of their begin."""
    return _spans(trace) if _is_seen(trace) else []


def _spans(trace: str) -> Rows:
    sql = "SELECT * FROM trace_spans(trace = {trace:String}) ORDER BY start_ns, duration_ns DESC, span"
    return ask_whole(sql, None, trace=trace)


def _is_seen(trace: str) -> bool:
    """Whether the viewer may see a trace: what its calls and events are about, and what any other span of it names."""
    if not is_limited():
        return True
    named = {tuple(o) for span in _spans(trace) for o in span["objects"]}
    ours = {(r["object_type"], r["object_id"]) for id_ in {o[1] for o in named} for r in objects_by_id(id_)}
    return bool(traces_seen([trace])) and named <= ours


@cached(LIVE_S)
def logs(trace: str) -> Rows:
    """The log records of a trace, in order, at most 2,000."""
    if not _is_seen(trace):
        return []
    return ask_whole("SELECT * FROM trace_logs(trace = {trace:String}) ORDER BY at_ns LIMIT 2000", None, trace=trace)


@cached(LIVE_S)
def objects(trace: str) -> Rows:
    """The business objects of a trace, those that failed first."""
    if not _is_seen(trace):
        return []
    return ask_whole(
        "SELECT * FROM trace_objects(trace = {trace:String}) ORDER BY is_failed DESC, object_type, object_id LIMIT 200",
        None,
        trace=trace,
    )


@cached(CALM_S)
def journey(trace: str) -> Rows:
    """
    The traces before and after this one across queues, followed hop by hop both ways, in order of time, this one among them.

    Shape: that of trace_summaries, and `hops` (negative: before).
    """
    hops = {trace: 0}
    if not _is_seen(trace):
        return []
    for step in (-1, 1):
        frontier = [trace]
        for distance in range(1, MOST_HOPS + 1):
            found = [t for t in _neighbours(frontier, "before" if step < 0 else "after") if t not in hops]
            hops |= dict.fromkeys(found[: max(0, MOST_LINKED - len(hops))], step * distance)
            frontier = [t for t in found if t in hops]
            if not frontier:
                break
    return [{**r, "hops": hops[r["trace"]]} for r in _summaries(list(hops))]


def _neighbours(traces: list[str], way: str) -> list[str]:
    rows = ask_whole(
        "SELECT DISTINCT other FROM trace_links(traces = {traces:Array(String)}) WHERE way = {way:String} ORDER BY other",
        None,
        traces=traces,
        way=way,
    )
    return [r["other"] for r in rows if _is_seen(r["other"])]


def _summaries(traces: list[str]) -> Rows:
    """What each of these traces was, in order of time."""
    if not traces:
        return []
    return ask_whole("SELECT * FROM trace_summaries(traces = {traces:Array(String)}) ORDER BY at, trace", None, traces=traces)
