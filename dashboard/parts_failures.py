"""
The parts of the Failures page: the table of interfaces, and one interface in depth, with its way to traces, objects and
exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import charts_failures, charts_traces, filters, frame, queries_failures, sentences, session, tables, tiles, units
from schema import definitions

Row = Mapping[str, Any]
PLAIN_CHART = {"displayModeBar": False}
WORDS = {"on_target": "As usual", "watch": "Watch", "off_target": "Failing", "no_data": "No calls"}


# --- all interfaces ----------------------------------------------------------------------------------------------------------
def edges(rows: Sequence[Row], chosen: str) -> None:
    """A row an interface, the worst first; choosing one opens it and puts it into the URL."""
    st.dataframe(
        {
            "Interface": [r["title"] for r in rows],
            "Status": [tiles.status_text(r["status"], _word(r)) for r in rows],
            "Calls": [_against(units.count(r["n_calls"]), r["usual_calls"], _whole) for r in rows],
            "Failed": [_against(_ratio(r["error_share"]), r["usual_error_share"], units.ratio) for r in rows],
            "Retries / message": [_against(_small(r["retries"]), r["usual_retries"], _small) for r in rows],
            "p50": [_against(_time(r["p50_s"]), r["usual_p50_s"], _time) for r in rows],
            "p95": [_against(_time(r["p95_s"]), r["usual_p95_s"], _time) for r in rows],
            "Objects": [r["n_objects"] for r in rows],
            "Customers": [r["n_customers"] for r in rows],
            "Behind it": [tiles.money(r["value"]) if r["value"] else units.DASH for r in rows],
            "Last change": [_changed(r) for r in rows],
            "Owner": [session.team(r["owner"]) if r["owner"] else "nobody" for r in rows],
            "Service": [_service(r) for r in rows],
        },
        key="edge_table",
        hide_index=True,
        on_select=lambda: tables.choose("edge_table", [r["interface"] for r in rows], "interface"),
        selection_mode="single-row",
        selection_default=tables.chosen([r["interface"] for r in rows], chosen),
        height=tables.height(len(rows), 460 if not chosen else 280),
        column_config={
            "Interface": st.column_config.TextColumn(pinned=True),
            "Calls": st.column_config.TextColumn(help="In brackets the usual: the same hours of the seven days before"),
            "Failed": st.column_config.TextColumn(help="Share of calls that ended in an error"),
            "Objects": st.column_config.NumberColumn(
                format="localized", help="They failed on it last, or their next milestone over it is overdue"
            ),
            "Customers": st.column_config.NumberColumn(format="localized"),
            "Behind it": st.column_config.TextColumn(help="Value of those objects"),
            "Last change": st.column_config.TextColumn(help="When the newest service.version was first seen on it"),
        },
        alt=f"{len(rows)} interfaces, the worst first",
    )
    if not chosen:
        st.caption("Choose a row to see its course, its failing traces and what is behind it. In brackets: the usual.")


def nothing(window: str) -> None:
    """No call at all: say how one comes here."""
    if frame.view().scope:
        tiles.empty(
            f"No interface was called in the last {window} under these filters.", next_step="Clear the filters to see all."
        )
        return
    tiles.empty(
        f"No call over any interface in the last {window}.",
        next_step="Point an OpenTelemetry exporter or Collector at the intake:",
        code=f"OTEL_EXPORTER_OTLP_ENDPOINT={session.intake()} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf your-service",
    )


# --- one interface -----------------------------------------------------------------------------------------------------------
def head(row: Row) -> None:
    """What this interface is, what is wrong with it in a sentence, whose it is, and what is behind it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"#### {units.plain(row['title'])} {tiles.status(row['status'], _word(row))}")
        if st.button("Close", key="close_edge", icon=":material/close:"):
            st.query_params.pop("interface", None)
            st.rerun()
    st.markdown(f"**{row['code']}** {units.plain(row['reason'])}" if row["reason"] else _why(row))
    worth = f", {tiles.money(row['value'])}" if row["value"] else ""
    behind = (
        f"{units.of(row['n_objects'], 'object')} of {units.of(row['n_customers'], 'customer')}{worth}"
        if row["n_objects"]
        else "nothing"
    )
    tiles.facts(
        [
            ("Interface", units.plain(row["interface"])),
            ("Service", units.plain(_service(row))),
            ("Owner", session.team(row["owner"]) if row["owner"] else "nobody: name one in the catalogue under `interfaces`"),
            ("Behind it", behind),
            ("Last call", units.ago(row["last_at"], frame.now()) if row["n_calls"] or row["n_usual"] else "none"),
            ("Version", units.plain(_changed(row)) if row["version"] else ""),
        ]
    )


def not_known(interface: str) -> None:
    """An interface of the URL that nobody calls and the catalogue does not name."""
    tiles.empty(
        f"Nothing is known of the interface **{units.plain(interface)}** in this window.", next_step="Take a longer one above."
    )
    if st.button("All interfaces", key="all_edges"):
        st.query_params.pop("interface", None)
        st.rerun()


def course(rows: Sequence[Row], changes: Sequence[Row], since: datetime, bucket_s: int) -> None:
    """Calls, share that failed, latency and retries over the window, each with its usual and the changes of version."""
    if not rows:
        tiles.empty("No call in this window.", next_step="What is behind it below waits for milestones that come over it.")
        return
    zone, is_dark = frame.zone(), frame.is_dark()
    full = charts_failures.filled(rows, since, frame.now(), bucket_s)
    marks = [(c["since"], str(c["version"])) for c in changes if c["is_change"] and c["since"] >= since]
    per = units.duration(bucket_s)
    with st.grid(2, min_column_width=340, gap="small"):
        with st.container(border=True, gap="xsmall"):
            tiles.heading(f"Calls, number per {per}")
            figure = charts_failures.calls(full, marks, zone, is_dark=is_dark)
            st.plotly_chart(
                figure, key="edge_calls", config=PLAIN_CHART, alt="Calls by time, failed ones apart, with the usual"
            )
        for title, name, usual, format_ in (
            ("Share of calls that failed, %", "error_share", "usual_error_share", ".1%"),
            ("Latency, p95 in seconds", "p95_s", "usual_p95_s", ""),
            ("Retries per message", "retries", "", ""),
        ):
            with st.container(border=True, gap="xsmall"):
                tiles.heading(title)
                figure = charts_failures.line(full, name, usual, marks, zone, format=format_, is_dark=is_dark)
                st.plotly_chart(figure, key=f"edge_{name}", config=PLAIN_CHART, alt=f"{title} by time")
    if marks:
        st.caption(
            "Dotted: " + ", ".join(f"version {units.plain(text)} first seen {frame.when(at)}" for at, text in marks) + "."
        )


def failing(rows: Sequence[Row]) -> None:
    """The last calls that failed, each with its trace."""
    tiles.heading("Failing traces, the newest first")
    if not rows:
        tiles.empty("No call failed in this window.")
        return
    st.dataframe(
        {
            "When": [frame.when(r["at"]) for r in rows],
            "Trace": [filters.link("traces", frame.view(), trace=r["trace_id"]) for r in rows],
            "Error": [r["status_message"] or "no message" for r in rows],
            "About": [", ".join(r["object_ids"][:3]) for r in rows],
            "Attempt": [r["attempt"] for r in rows],
            "Took": [_time(r["took_s"]) for r in rows],
        },
        key="failing", hide_index=True, height=tables.height(len(rows), 260),
        column_config={"Trace": st.column_config.LinkColumn(display_text="trace")},
        alt=f"{len(rows)} failing traces",
    )  # fmt: skip


def messages(rows: Sequence[Row]) -> None:
    """Messages that took more than one attempt or failed, those that may still be tried again first."""
    n, now = (rows[0]["n_all"], rows[0]["n_now"]) if rows else (0, 0)
    tiles.heading(f"Messages tried again or failed: {units.exact(n)}, of them {units.exact(now)} failing now")
    if not rows:
        tiles.empty("Every message went through at the first attempt.")
        return
    st.dataframe(
        {
            "State": [tiles.status_text(*_state(r)) for r in rows],
            "Message": [r["message"] for r in rows],
            "Attempts": [r["attempts"] for r in rows],
            "First": [frame.when(r["first_at"]) for r in rows],
            "Last": [frame.when(r["last_at"]) for r in rows],
            "Error": [r["said"] for r in rows],
            "About": [", ".join(o[1] for o in r["objects"][:3]) for r in rows],
            "Trace": [filters.link("traces", frame.view(), trace=r["trace"]) for r in rows],
        },
        key="messages", hide_index=True, height=tables.height(len(rows), 260),
        column_config={"Trace": st.column_config.LinkColumn(display_text="trace")},
        alt=f"{len(rows)} messages that were tried again or failed",
    )  # fmt: skip


def _state(row: Row) -> tuple[tiles.Status, str]:
    if row["is_retrying"]:
        return "off_target", "Failing now"
    return ("watch", "Given up") if row["is_failed"] else ("on_target", "Through in the end")


def hit(row: Row, length_s: int) -> None:
    """The objects behind the interface, counted by a cut, then one by one."""
    view, interface = frame.view(), row["interface"]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        tiles.heading("Objects hit", help="They failed on it last, or their next milestone over it is overdue.")
        names = {filters.name(cut): cut for cut in queries_failures.CUTS}
        shown = st.segmented_control(
            "Cut", list(names), default="region", key="by", bind="query-params", required=True, label_visibility="collapsed"
        )  # fmt: skip
    by = names[shown or "region"]
    rows = queries_failures.hit(view.as_of, view.scope, length_s, interface)
    if not rows:
        tiles.empty("No object is held up by it.")
        return
    for r in queries_failures.hit_by(view.as_of, view.scope, length_s, interface, by)[:6]:
        st.markdown(
            f"**{units.plain(r['name'] or f'no {filters.name(by)}')}**: {units.of(r['n'], 'object')}, "
            f"{units.of(r['n_customers'], 'customer')}, {tiles.money(r['worth'])}; {units.count(r['n_failed'])} failed, "
            f"{units.count(r['n'] - r['n_failed'])} overdue"
        )
    state = st.dataframe(
        {
            "Object": [r["object_id"] for r in rows],
            "Kind": [r["object_type"] for r in rows],
            "How": ["failed" if r["how"] == "failed" else "overdue" for r in rows],
            "Value": [tiles.money(r["value"]) for r in rows],
            "Customer": [r["customer"] for r in rows],
            "Region": [r["region"] for r in rows],
            "Warehouse": [r["warehouse"] for r in rows],
            "Carrier": [r["carrier"] for r in rows],
            "Class": [r["order_class"] for r in rows],
            "Since": [frame.when(r["at"]) for r in rows],
            "Trace": [filters.link("traces", view, trace=r["trace_id"]) if r["trace_id"] else None for r in rows],
        },
        key="hit",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=tables.height(len(rows), 300),
        column_config={
            "Trace": st.column_config.LinkColumn(display_text="trace"),
            "Object": st.column_config.TextColumn(pinned=True),
        },
        alt=f"{len(rows)} objects behind the interface",
    )
    st.caption("Choose a row to open the object.")
    if picked := state["selection"]["rows"]:
        frame.go("object", to=None, type=rows[picked[0]]["object_type"], id=rows[picked[0]]["object_id"])


def caused(rows: Sequence[Row]) -> None:
    """The open incidents that the interface is behind, each a sentence with a way to its exceptions."""
    tiles.heading("Exceptions it caused")
    if not rows:
        tiles.empty("No open exception rests on it.")
    for r in rows:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{tiles.severity(r['worst'])} {units.plain(_sentence(r))}")
            frame.link_to("exceptions", "Open", to=None, incident=r["incident"])


def _sentence(row: Row) -> str:
    policy = session.catalogue().exceptions.get(row["code"])
    name = policy.title if policy else row["code"]
    where = sentences.place(row["place"])
    worth = f", {tiles.money(row['value'])}" if row["value"] else ""
    return (
        f"{name}{f' ({where})' if where else ''}: {units.of(row['n'], 'exception')}{worth}, "
        f"oldest since {frame.when(row['oldest_at'])}. "
        f"Owner: {session.team(row['owner'])}."
    )


def action(row: Row) -> None:
    """What the detector that raised it recommends."""
    detector = definitions.detectors().get(row["code"])
    if detector:
        st.markdown(f":gray[Do:] {detector.header.action}")


# --- how a number stands against its usual -----------------------------------------------------------------------------------
def _against(text: str, usual: float | None, write: Any) -> str:
    return f"{text} ({write(usual)})" if usual is not None else text


def _ratio(share: float | None) -> str:
    return units.DASH if share is None else units.ratio(share)


def _whole(x: float) -> str:
    return units.count(round(x))


def _small(x: float | None) -> str:
    return units.DASH if x is None else units.count(round(x, 2))


def _time(seconds: float | None) -> str:
    return (
        units.DASH if seconds is None else charts_traces.short(int(seconds * 1e9)) if seconds < 60 else units.duration(seconds)
    )


def _why(row: Row) -> str:
    """Why an interface is watched though no detector has raised it: what waits behind it, and how often it is called."""
    usual = f", where {_whole(row['usual_calls'])} are usual" if row["usual_calls"] is not None else ""
    calls = f"{units.of(row['n_calls'], 'call')} in this window{usual}"
    if row["n_objects"]:
        verb = "waits" if row["n_objects"] == 1 else "wait"
        return f"{units.of(row['n_objects'], 'object')} {verb} for what comes over it: {calls}."
    return f"Nothing waits behind it: {calls}."


def _word(row: Row) -> str:
    policy = session.catalogue().exceptions.get(row["code"])
    return policy.title if policy and row["status"] == "off_target" else WORDS[row["status"]]


def _changed(row: Row) -> str:
    if row["changed_at"].year <= 1970:
        return f"{row['version']}, no change seen" if row["version"] else units.DASH
    return f"{row['version']} {units.ago(row['changed_at'], frame.now())}"


def _service(row: Row) -> str:
    return f"{row['service']} → {row['peer']}" if row["peer"] else row["service"] or units.DASH
