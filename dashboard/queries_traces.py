"""
What the Traces page reads: a search, one trace with its spans, logs and objects, and the traces it is linked with across
queues.

Why a trace is followed over links and not only over parents: a queue ends a trace and begins another one, and what happened
to an order is on both sides of it.
"""

from __future__ import annotations

from datetime import datetime

from dashboard.queries import CALM_S, LIVE_S, Rows, ask, cached

MOST_TRACES, MOST_HOPS, MOST_LINKED = 100, 6, 40


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
    return ask(
        """
        SELECT * FROM traces(
            from = AS_OF - toIntervalSecond({length_s:UInt32}), trace = {trace:String}, key = {key:String},
            service = {service:String}, interface = {interface:String}, is_error = {is_error:Bool},
            min_s = {min_s:Float64}, most = {most:UInt32}, SCOPED)
        ORDER BY at DESC, trace
        """,
        as_of, scope, length_s=length_s, trace=trace, key="" if trace else key, service=service, interface=interface,
        is_error=is_error, min_s=min_s, most=MOST_TRACES,
    )  # fmt: skip


@cached(CALM_S)
def names(as_of: datetime | None, length_s: int) -> dict[str, list[str]]:
    """The services and interfaces that spoke in the window, for the choices of the search."""
    rows = ask(
        """
        SELECT arraySort(groupUniqArray(toString(service))) AS services,
               arraySort(groupUniqArray(toString(interface))) AS interfaces
        FROM interface_calls WHERE at > AS_OF - toIntervalSecond({length_s:UInt32}) AND at <= AS_OF
        """,
        as_of, length_s=length_s,
    )  # fmt: skip
    return {"services": rows[0]["services"], "interfaces": rows[0]["interfaces"]}


@cached(LIVE_S)
def spans(trace: str) -> Rows:
    """The spans of a trace, each once, in order of their begin."""
    return ask("SELECT * FROM trace_spans(trace = {trace:String}) ORDER BY start_ns, duration_ns DESC, span", None, trace=trace)


@cached(LIVE_S)
def logs(trace: str) -> Rows:
    """The log records of a trace, in order, at most 2,000."""
    return ask("SELECT * FROM trace_logs(trace = {trace:String}) ORDER BY at_ns LIMIT 2000", None, trace=trace)


@cached(LIVE_S)
def objects(trace: str) -> Rows:
    """The business objects of a trace, those that failed first."""
    return ask(
        "SELECT * FROM trace_objects(trace = {trace:String}) ORDER BY is_failed DESC, object_type, object_id LIMIT 200",
        None,
        trace=trace,
    )


@cached(CALM_S)
def journey(trace: str) -> Rows:
    """
    The traces before and after this one across queues, followed hop by hop both ways, in order of time, this one among them.

    Shape: trace, `hops` (negative: before), at, root, service, n_spans, n_errors, took_s.
    """
    hops = {trace: 0}
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
    found = ask(
        "SELECT DISTINCT other FROM trace_links(traces = {traces:Array(String)}) WHERE way = {way:String} ORDER BY other",
        None,
        traces=traces,
        way=way,
    )
    return [r["other"] for r in found]


def _summaries(traces: list[str]) -> Rows:
    return ask(
        """
        WITH (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN {traces:Array(String)}) AS first_at
        SELECT
            TraceId AS trace, toDateTime64(min(Timestamp), 3, 'UTC') AS at,
            (max(toUnixTimestamp64Nano(Timestamp) + Duration) - min(toUnixTimestamp64Nano(Timestamp))) / 1e9 AS took_s,
            argMin(toString(SpanName), (ParentSpanId != '', Timestamp)) AS root,
            argMin(toString(ServiceName), (ParentSpanId != '', Timestamp)) AS service,
            uniqExact(SpanId) AS n_spans, uniqExactIf(SpanId, StatusCode = 'Error') AS n_errors
        FROM otel_traces WHERE TraceId IN {traces:Array(String)} AND Timestamp >= first_at
        GROUP BY trace ORDER BY at, trace
        """,
        None, traces=traces,
    )  # fmt: skip
