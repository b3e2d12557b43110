"""
The parts of the Failures page: the table of interfaces, and one interface in depth, with its way to traces, objects and
exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import charts_failures, charts_traces, filters, frame, session, tables, tiles, units
from schema import definitions

Row = Mapping[str, Any]
PLAIN_CHART = {"displayModeBar": False}
WORDS = {"on_target": "As usual", "watch": "Watch", "off_target": "Failing", "no_data": "Not called"}
BEHIND = "Behind it"
USUALLY = "The usual: the same hours of the seven days before"


# --- all interfaces ----------------------------------------------------------------------------------------------------------
def edges(rows: Sequence[Row], chosen: str) -> None:
    """A row an interface, the worst first; choosing one opens it and puts it into the URL."""
    st.dataframe(
        {
            "Interface": [r["interface"] for r in rows],
            "Status": [tiles.status_text(r["status"], _word(r)) for r in rows],
            "Carries": [r["title"] if r["title"] != r["interface"] else "" for r in rows],
            BEHIND: [_thousands(r["value"]) for r in rows],
            "Objects": [r["n_objects"] for r in rows],
            "Customers": [r["n_customers"] for r in rows],
            "Failed": [_percent(r["error_share"]) for r in rows],
            "usual failed": [_percent(r["usual_error_share"]) for r in rows],
            "Retries": [_rounded(r["retries"]) for r in rows],
            "usual retries": [_rounded(r["usual_retries"]) for r in rows],
            "p95": [_ms(r["p95_s"]) for r in rows],
            "usual p95": [_ms(r["usual_p95_s"]) for r in rows],
            "Changed": [_changed(r) for r in rows],
        },
        key="edge_table",
        hide_index=True,
        on_select=lambda: tables.choose("edge_table", [r["interface"] for r in rows], "interface"),
        selection_mode="single-row",
        selection_default=tables.chosen([r["interface"] for r in rows], chosen),
        height=tables.height(len(rows), 640 if not chosen else 250),
        column_config={
            "Interface": tables.text("milepost.interface, as its spans say it", width=142),
            "Carries": tables.text("What the catalogue calls it", width=180),
            "Status": tables.text(
                "■ a detector raised it; ▲ what comes over it is overdue or failed, or it is slow or retried", width=132
            ),
            BEHIND: tables.number("Value of the objects behind it", label=f"Behind, k {session.currency()}", width=94),
            "Objects": tables.number("They failed on it last, or their next milestone over it is overdue", width=58),
            "Customers": tables.number("Customers of those objects", width=74),
            "Failed": tables.number("Share of calls that ended in an error", label="Failed, %", width=64),
            "usual failed": tables.number(USUALLY, label="usual, %", width=60),
            "Retries": tables.number("Attempts beyond the first, a message", width=56),
            "usual retries": tables.number(USUALLY, label="usual", width=48),
            "p95": tables.number("Latency: 95 of 100 calls were faster", label="p95, ms", width=58),
            "usual p95": tables.number(USUALLY, label="usual, ms", width=66),
            "Changed": tables.text("When its newest service.version was first seen on it", width=76),
        },
        placeholder=units.DASH,
        alt=f"{len(rows)} interfaces, the worst first",
    )
    if not chosen:
        st.caption("Choose a row to see its course, its failing traces and what is behind it.")


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
    """What this interface is, what is wrong with it in a sentence, and what to do."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        name = f" :gray[{units.plain(row['interface'])}]" if row["title"] != row["interface"] else ""
        st.markdown(f"#### {units.plain(row['title'])}{name} {tiles.status(row['status'], _word(row))}")
        if st.button("Close", key="close_edge", icon=":material/close:"):
            st.query_params.pop("interface", None)
            st.rerun()
    st.markdown(f"**{row['code']}** {units.plain(row['reason'])}" if row["reason"] else _why(row))
    action(row)


def facts(row: Row) -> None:
    """Whose the interface is, what is behind it, and how it stands."""
    worth = f", {tiles.money(row['value'])}" if row["value"] else ""
    behind = (
        f"{units.of(row['n_objects'], 'object')} of {units.of(row['n_customers'], 'customer')}{worth}"
        if row["n_objects"]
        else "nothing"
    )
    tiles.facts(
        [
            ("Service", units.plain(_service(row))),
            ("Owner", session.team(row["owner"]) if row["owner"] else "nobody: name one in the catalogue under `interfaces`"),
            ("Behind it", behind),
            ("Calls", f"{_called(row)}; {_percents(row['error_share'])} failed, usually {_percents(row['usual_error_share'])}"),
            ("Last call", units.ago(row["last_at"], frame.now()) if row["n_calls"] or row["n_usual"] else "none"),
            ("Version", units.plain(_version(row))),
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
        for title, name, usual, scale, suffix in (
            ("Share of calls that failed, %", "error_share", "usual_error_share", 100, " %"),
            ("Latency, p95 in ms", "p95_s", "usual_p95_s", 1000, ""),
            ("Retries per message", "retries", "", 1, ""),
        ):
            with st.container(border=True, gap="xsmall"):
                tiles.heading(title)
                figure = charts_failures.line(full, name, usual, marks, zone, per=scale, suffix=suffix, is_dark=is_dark)
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
        column_config={
            "Trace": st.column_config.LinkColumn(display_text="trace"), "Took": tables.right(), "Error": tables.text(width=200),
        },
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
            "Last": [frame.when(r["last_at"]) for r in rows],
            "Trace": [filters.link("traces", frame.view(), trace=r["trace"]) for r in rows],
            "About": [", ".join(o[1] for o in r["objects"][:3]) for r in rows],
            "Error": [r["said"] for r in rows],
        },
        key="messages", hide_index=True, height=tables.height(len(rows), 260),
        column_config={
            "Trace": st.column_config.LinkColumn(display_text="trace"), "Message": tables.text(width=95),
            "Attempts": tables.number(width=66), "Error": tables.text(width=130), "About": tables.text(width=80),
        },
        alt=f"{len(rows)} messages that were tried again or failed",
    )  # fmt: skip


def _state(row: Row) -> tuple[tiles.Status, str]:
    if row["is_retrying"]:
        return "off_target", "Failing now"
    return ("watch", "Given up") if row["is_failed"] else ("on_target", "Through in the end")


def action(row: Row) -> None:
    """What the detector that raised it recommends."""
    detector = definitions.detectors().get(row["code"])
    if detector:
        st.markdown(f":gray[Do:] {detector.header.action}")


# --- how numbers are written -------------------------------------------------------------------------------------------------
def _percents(share: float | None) -> str:
    return units.DASH if share is None else units.ratio(share)


def _percent(share: float | None) -> float | None:
    return None if share is None else float(f"{share * 100:.{3 if share >= 0.01 else 2}g}")


def _rounded(x: float | None) -> float | None:
    return None if x is None else round(x, 2)


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _thousands(amount: float) -> float | None:
    return float(f"{float(amount) / 1000:.3g}") if amount else None


def _whole(x: float) -> str:
    return units.count(round(x))


def _time(seconds: float | None) -> str:
    return (
        units.DASH if seconds is None else charts_traces.short(int(seconds * 1e9)) if seconds < 60 else units.duration(seconds)
    )


def _why(row: Row) -> str:
    """Why an interface is watched though no detector has raised it: what waits behind it, and how often it is called."""
    if row["n_objects"]:
        verb = "waits" if row["n_objects"] == 1 else "wait"
        n = row["n_failed_objects"]
        failed = f"{units.count(n)} of them failed on it" if n else "none of them failed"
        return f"{units.of(row['n_objects'], 'object')} {verb} for what comes over it, {failed}: {_called(row)}."
    if row["status"] == "watch":
        return f"It is slower or needs more attempts than the catalogue allows: {_called(row)}."
    return f"Nothing waits behind it: {_called(row)}."


def _called(row: Row) -> str:
    usual = f", usually {_whole(row['usual_calls'])}" if row["usual_calls"] is not None else ""
    return f"{units.of(row['n_calls'], 'call')}{usual}"


def _waiting(row: Row) -> str:
    """What is behind an interface by how it got there: `240 overdue`, `3 failed, 12 overdue`."""
    n, failed = row["n_objects"] - row["n_failed_objects"], row["n_failed_objects"]
    said = [f"{units.count(failed)} failed"] if failed else []
    return ", ".join([*said, f"{units.count(n)} overdue"] if n else said)


def _word(row: Row) -> str:
    """The detector's own title where it raised the interface; for one that is only watched, what there is to watch."""
    policy = session.catalogue().exceptions.get(row["code"])
    if policy and row["status"] == "off_target":
        return policy.title
    if row["status"] == "watch":
        return _waiting(row) or "Slow or retried"
    return WORDS[row["status"]]


def _changed(row: Row) -> str:
    return units.ago(row["changed_at"], frame.now()) if row["changed_at"].year > 1970 else units.DASH


def _version(row: Row) -> str:
    if not row["version"]:
        return ""
    return f"{row['version']}, {'first seen ' + _changed(row) if row['changed_at'].year > 1970 else 'no change seen'}"


def _service(row: Row) -> str:
    return f"{row['service']} → {row['peer']}" if row["peer"] else row["service"] or units.DASH
