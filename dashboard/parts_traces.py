"""
The parts of the Traces page: the search and its list, one trace as a waterfall, a span, its logs, its objects, its journey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import charts_traces, frame, session, tables, tiles, units, waterfall
from dashboard.waterfall import Step

Row = Mapping[str, Any]
PLAIN_CHART = {"displayModeBar": False}
MOST_ATTRIBUTES = 200
LOG_MARKS = {"ERROR": "■", "FATAL": "■", "CRITICAL": "■", "WARN": "▲", "WARNING": "▲"}


# --- search ------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for; all of it lives in the URL."""

    key: str = ""
    service: str = ""
    interface: str = ""
    is_error: bool = False
    min_ms: int = 0


def search(names: Mapping[str, Sequence[str]]) -> Asked:
    """The fields of the search."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        key = st.text_input(
            "Trace id or business key", key="key", bind="query-params", width=300, placeholder="order, shipment, invoice …"
        )
        service = _choice("Service", "service", names["services"])
        interface = _choice("Interface", "interface", names["interfaces"])
        min_ms = st.number_input("At least, ms", min_value=0, step=100, key="min_ms", bind="query-params", width=130)
        is_error = st.toggle("Only errors", key="errors", bind="query-params")
    return Asked(key.strip(), service, interface, is_error, int(min_ms))


def _choice(label: str, key: str, known: Sequence[str]) -> str:
    """One of the known ones or what the URL names, which may have been silent for long."""
    asked = st.query_params.get(key, "")
    options = sorted({*known, *([asked] if asked else [])})
    return st.selectbox(label, options, index=None, key=key, bind="query-params", placeholder="any", width=230) or ""


def found(rows: Sequence[Row], asked: Asked, window: str) -> None:
    """A row a trace, the newest first; choosing one opens it."""
    if not rows:
        _nothing(asked, window)
        return
    state = st.dataframe(
        {
            "When": [frame.when(r["at"]) for r in rows],
            "Status": [_errors(r["n_errors"]) for r in rows],
            "Began with": [r["root"] for r in rows],
            "Service": [r["service"] + (f" + {r['n_services'] - 1}" if r["n_services"] > 1 else "") for r in rows],
            "Took": [_took(r["took_s"]) for r in rows],
            "Spans": [r["n_spans"] for r in rows],
            "About": [", ".join(r["keys"]) for r in rows],
            "Interfaces": [", ".join(r["interfaces"]) for r in rows],
            "Trace": [f"{r['trace'][:8]}…" for r in rows],
            "Error": [r["said"] for r in rows],
        },
        key="trace_table",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=tables.height(len(rows), 620),
        column_config={
            "Status": tables.text(width=78),
            "Began with": tables.text("The name of its first span", width=140),
            "Service": tables.text("Of its first span, and how many others took part", width=140),
            "Took": tables.right(width=70),
            "Spans": tables.number(width=50),
            "About": tables.text("Business keys on its spans", width=130),
            "Interfaces": tables.text(width=140),
            "Trace": tables.text("Its id; open it to see all of it", width=86),
            "Error": tables.text("What its first failing span says", width=205),
        },
        alt=f"{len(rows)} traces, the newest first",
    )
    is_cut = len(rows) >= 100
    st.caption(
        f"{'The newest ' if is_cut else ''}{units.of(len(rows), 'trace')}. Choose a row to open it."
        + (" Narrow the search to see others." if is_cut else "")
    )
    if picked := state["selection"]["rows"]:
        st.query_params["trace"] = rows[picked[0]]["trace"]
        st.rerun()


def _errors(n: int) -> str:
    return tiles.status_text("off_target", units.of(n, "error")) if n else tiles.status_text("on_target", "Ok")


def _nothing(asked: Asked, window: str) -> None:
    if asked.key:
        tiles.empty(
            f"No trace is known by **{units.plain(asked.key)}**.",
            next_step="Its calls may carry no business key: the catalogue's `telemetry.keys` says which attributes do.",
        )
    elif asked != Asked():
        tiles.empty(f"No trace of the last {window} matches.", next_step="Take a longer window above, or ask for less.")
    else:
        tiles.empty(
            f"No trace in the last {window}.",
            next_step="Point an OpenTelemetry exporter or Collector at the intake:",
            code=f"OTEL_EXPORTER_OTLP_ENDPOINT={session.intake()} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf your-service",
        )


# --- one trace ---------------------------------------------------------------------------------------------------------------
def back() -> None:
    """Leave the trace and see the list again."""
    if st.button("All traces", key="all_traces", icon=":material/arrow_back:", type="tertiary"):
        for name in ("trace", "span", "page"):
            st.query_params.pop(name, None)
        st.session_state.pop("trace_table", None)
        st.rerun()


def not_known(trace: str, objects: Sequence[Row]) -> None:
    """No span of it is here, though events may carry it."""
    tiles.empty(
        f"No span of trace **{units.plain(trace)}** is here: not sampled, not sent to us, or past the retention.",
        next_step="Business events that carry it are listed below." if objects else "Search for another one.",
    )


def head(steps: Sequence[Step], trace: str) -> None:
    """The trace in one line: how long, how many spans and services, what failed."""
    root, errors = steps[0].row, [s for s in steps if s.row["is_error"]]
    services = {s.row["service"] for s in steps}
    word = tiles.status("off_target", units.of(len(errors), "error")) if errors else tiles.status("on_target", "No error")
    st.markdown(f"#### {units.plain(root['name'])} {word}")
    tiles.facts(
        [
            ("Began", f"{frame.hover(root['at'])} · took {_took(waterfall.length_ns(steps) / 1e9)}"),
            ("Spans", f"{units.exact(len(steps))} of {units.of(len(services), 'service')} · trace `{trace}`"),
            (
                "First error",
                units.plain(f"{errors[0].row['name']}: {errors[0].row['message'] or 'no message'}") if errors else "",
            ),
        ]
    )


def chart(steps: Sequence[Step], logs: Sequence[Row], span: str) -> str:
    """The waterfall, a page of it at a time; the span that is chosen, by a click or from the URL."""
    pages = -(-len(steps) // waterfall.PAGE)
    page = 1
    if pages > 1:
        first = waterfall.first_page(steps, span)
        st.caption(
            f"{units.exact(len(steps))} spans on {pages} pages; "
            f"this begins at the {'chosen span' if span else 'first error, if there is one'}."
        )
        page = st.pagination(pages, default=first, key=f"page_{steps[0].row['span']}")
    shown = steps[(page - 1) * waterfall.PAGE : page * waterfall.PAGE]
    figure = charts_traces.waterfall(shown, steps, logs, span, is_dark=frame.is_dark())
    state = st.plotly_chart(
        figure, key="waterfall", on_select="rerun", selection_mode="points", config=PLAIN_CHART,
        alt=f"Waterfall of {len(shown)} spans: " + ", ".join(s.row["name"] for s in shown[:8]),
    )  # fmt: skip
    clicked = [p["customdata"] for p in state["selection"]["points"] if p.get("customdata")]
    named = [s.row["span"] for s in shown]
    if clicked and str(clicked[0]) != st.session_state.get("clicked_span") and str(clicked[0]) in named:
        st.session_state["clicked_span"] = st.query_params["span"] = str(clicked[0])
        st.rerun()
    return _span_field(shown, span)


def _span_field(shown: Sequence[Step], span: str) -> str:
    """The same choice by keyboard."""
    labels = {s.row["span"]: _span_name(s.row) for s in shown}
    options = list(labels)
    chosen = st.selectbox(
        "Span",
        options,
        index=options.index(span) if span in labels else None,
        format_func=lambda s: labels[s],
        key=f"span_{span}_{options[0]}",
        placeholder="Choose a span to see its attributes, or click its bar",
        label_visibility="collapsed",
    )
    if chosen and chosen != span:
        st.query_params["span"] = chosen
        st.rerun()
    return chosen or ""


def _span_name(row: Row) -> str:
    return f"{'✕ ' if row['is_error'] else ''}{row['name']} · {row['service']} · {charts_traces.short(row['duration_ns'])}"


def one_span(row: Row, logs: Sequence[Row], trace: str) -> None:
    """A span in full: what it says of itself, its events, links and log records."""
    tiles.heading(f"Span {units.plain(row['name'])}", help=f"{row['kind']} span {row['span']} of {units.plain(row['service'])}")
    tiles.facts(
        [
            (
                "Status",
                tiles.status("off_target", "Failed") + f" {units.plain(row['message'])}"
                if row["is_error"]
                else tiles.status("on_target", "Ok"),
            ),
            ("Took", charts_traces.short(row["duration_ns"])),
            ("Attempt", str(row["attempt"]) if row["attempt"] > 1 else ""),
        ]
    )
    if row["interface"]:
        frame.link_to("failures", f"Interface {row['interface']}", to=None, interface=row["interface"])
    with st.container(horizontal=True, gap="small"):
        for type_, id_ in row["objects"][:12]:
            frame.link_to("object", f"{units.title(type_)} {units.plain(id_)}", to=None, type=type_, id=id_)
    _linked(row, trace)
    said = [(name, text, "span") for name, text in sorted(row["attributes"].items())] + [
        (name, text, "resource") for name, text in sorted(row["resource"].items())
    ]
    said += [
        (f"event {name}: {key}" if key else f"event {name}", text, "event")
        for _, name, a in row["happened"]
        for key, text in (a or {"": ""}).items()
    ]
    shown = said[:MOST_ATTRIBUTES]
    st.dataframe(
        {"Attribute": [s[0] for s in shown], "Value": [s[1] for s in shown], "Of": [s[2] for s in shown]},
        key="attributes", hide_index=True, height=tables.height(len(shown), 360), alt=f"{len(shown)} attributes of the span",
    )  # fmt: skip
    if any(r["span"] == row["span"] for r in logs):
        log_records([r for r in logs if r["span"] == row["span"]], "Its log records")


def _linked(row: Row, trace: str) -> None:
    others = [t for t, _ in dict(row["links"]).items() if t and t != trace]
    with st.container(horizontal=True, gap="small"):
        for other in others[:8]:
            frame.link_to("traces", f"Linked trace {other[:8]}…", to=None, trace=other)


def log_records(rows: Sequence[Row], title: str = "Log records", *, key: str = "span_logs") -> None:
    """Log records in the order of time."""
    if not rows:
        return
    tiles.heading(f"{title}: {units.count(len(rows))}")
    st.dataframe(
        {
            "When": [f"{r['at'].astimezone(frame.zone()):%H:%M:%S}.{r['at'].microsecond // 1000:03d}" for r in rows],
            "Level": [f"{LOG_MARKS.get(r['severity'], '○')} {r['severity']}" for r in rows],
            "Service": [r["service"] for r in rows],
            "Text": [r["body"] for r in rows],
        },
        key=key, hide_index=True, height=tables.height(len(rows), 300), alt=f"{len(rows)} log records",
        column_config={"Text": st.column_config.TextColumn(width="large")},
    )  # fmt: skip


def objects(rows: Sequence[Row]) -> None:
    """The business objects of the trace with their state now; choosing one opens it."""
    tiles.heading("What it was about", help="Objects that its spans name or whose events carry it, with their state now.")
    if not rows:
        tiles.empty("No business object.", next_step="The catalogue's `telemetry.keys` says which span attributes name one.")
        return
    state = st.dataframe(
        {
            "Object": [r["object_id"] for r in rows],
            "Kind": [r["object_type"] for r in rows],
            "State now": [units.words(r["state"]) or "no event yet" for r in rows],
            "Since": [frame.when(r["state_at"]) for r in rows],
            "Here": [tiles.status_text("off_target", "Failed") if r["is_failed"] else "● Ok" for r in rows],
            "Value": [tiles.money(r["value"]) if r["value"] else units.DASH for r in rows],
            "Customer": [r["customer"] for r in rows],
            "Events": [r["n_events"] for r in rows],
        },
        column_config={"Value": tables.right(), "Events": tables.number()},
        key="trace_objects",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=tables.height(len(rows), 260),
        alt=f"{len(rows)} business objects of the trace",
    )
    if picked := state["selection"]["rows"]:
        frame.go("object", to=None, type=rows[picked[0]]["object_type"], id=rows[picked[0]]["object_id"])


def journey(rows: Sequence[Row], trace: str) -> None:
    """The traces before and after this one across queues."""
    tiles.heading("Across queues", help="Traces that span links lead to, followed both ways.")
    if len(rows) < 2:
        tiles.empty("No span link leads here or away.")
        return
    zero = next((r["at"] for r in rows if r["trace"] == trace), rows[0]["at"])
    for r in rows:
        gap = (r["at"] - zero).total_seconds()
        when = "this trace" if r["trace"] == trace else f"{units.duration(gap)} {'before' if gap < 0 else 'after'}"
        word = (
            tiles.status("off_target", units.of(r["n_errors"], "error")) if r["n_errors"] else tiles.status("on_target", "Ok")
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            text = f"{units.plain(r['root'])} :gray[{units.plain(r['service'])}] {word} :gray[{when}]"
            st.markdown(f"**{text}**" if r["trace"] == trace else text)
            if r["trace"] != trace:
                frame.link_to("traces", "Open this trace", to=None, trace=r["trace"])


def _took(seconds: float) -> str:
    return charts_traces.short(int(seconds * 1e9)) if seconds < 60 else units.duration(seconds)
