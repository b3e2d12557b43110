"""
The parts of the Intake page: sources, what was rejected with its bytes, what was odd, our own jobs and our own telemetry.

Why the bytes are shown as they came, as text or as hex: the reason says what a format expected, and only the bytes say what
the sender thinks it sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import frame, queries_intake, session, tables, tiles, units

Row = Mapping[str, Any]
WORDS = {"on_target": "Speaking", "watch": "Rejects", "off_target": "Silent", "no_data": "Never heard of"}


# --- sources -----------------------------------------------------------------------------------------------------------------
def sources(rows: Sequence[Row], chosen: str, window_s: int) -> None:
    """A row a source, the worst first; choosing one shows what is known of it, its rejects and findings."""
    now = frame.now()
    st.dataframe(
        {
            "Source": [r["title"] for r in rows],
            "Status": [tiles.status_text(r["status"], _word(r)) for r in rows],
            "Newest": [units.ago(r["watermark"], now) for r in rows],
            "Expected": [_expected(r) for r in rows],
            "Messages": [list(r["course"]) for r in rows],
            "per h": [_rate(r["n_messages"], window_s) for r in rows],
            "Rows": [r["n_rows"] for r in rows],
            "Lag p95": [_known(r["lag_s"]) for r in rows],
            "Rejects": [r["n_rejects"] for r in rows],
            "Findings": [r["n_findings"] for r in rows],
            "Last error": [_told(r["last_error"], r["last_error_at"]) for r in rows],
        },
        key="source_table",
        hide_index=True,
        on_select=lambda: tables.choose("source_table", [r["source"] for r in rows], "source", ("reject",)),
        selection_mode="single-row",
        selection_default=tables.chosen([r["source"] for r in rows], chosen),
        height=tables.height(len(rows), 560),
        column_config={
            "Newest": tables.right("When its newest message was received: the watermark"),
            "Expected": tables.text("How often the catalogue expects it, in its calendar"),
            "Messages": st.column_config.BarChartColumn(
                help="Messages over the window, each source on its own scale", y_min=0, width=100
            ),
            "per h": tables.number("Messages an hour, the mean of the window", width=62),
            "Rows": tables.number("Rows stored in the window", width=72),
            "Lag p95": tables.right("From happened to stored, over the actual events of the window", width=72),
            "Rejects": tables.number("Open: not stored, the bytes are kept", width=62),
            "Findings": tables.number("Odd things in messages that were stored: drift", width=70),
            "Last error": tables.text("Why its newest reject was rejected"),
        },
        alt=f"{len(rows)} sources, the worst first",
    )


def source(row: Row) -> None:
    """What is known of one source beyond its row."""
    word = tiles.status(row["status"], _word(row))
    name = f" :gray[{units.plain(row['source'])}]" if row["title"] != row["source"] else ""
    st.markdown(f"#### {units.plain(row['title'])}{name} {word}")
    tiles.facts(
        [
            ("Expected", _expected(row) if row["cadence_s"] else "not watched: the catalogue names no feed of this source"),
            ("Newest", f"{frame.hover(row['watermark'])}, {units.ago(row['watermark'], frame.now())}"),
            ("To store, p95", _time(row["commit_s"]) if row["commit_s"] is not None else ""),
            ("Sent again", f"{units.of(row['n_again'], 'message')}, which changed nothing" if row["n_again"] else ""),
            ("Last error", units.plain(_told(row["last_error"], row["last_error_at"]))),
            ("Format", units.plain(row["format"])),
            ("Owner", session.team(row["owner"]) if row["owner"] else "nobody: name one in the catalogue under `feeds`"),
        ]
    )


def _word(row: Row) -> str:
    late = _late_s(row)
    return f"{WORDS[row['status']]}, {units.duration(late)} late" if row["status"] == "off_target" else WORDS[row["status"]]


def _late_s(row: Row) -> float:
    return float(row["silent_s"] - row["cadence_s"] - row["grace_s"]) if row["silent_s"] is not None else 0.0


def _rate(n: int, window_s: int) -> float:
    """Messages an hour, to three digits: 0.042 is one a day."""
    return float(f"{n * 3600 / window_s:.3g}")


def _known(seconds: float | None) -> str:
    return units.DASH if seconds is None else units.duration(seconds)


def _told(text: str, at: datetime) -> str:
    return f"{text} ({units.ago(at, frame.now())})" if text else ""


def _expected(row: Row) -> str:
    if not row["cadence_s"]:
        return "not watched"
    clock = "" if row["calendar"] == "always" else f" ({units.words(row['calendar'])} time)"
    return f"every {units.duration(row['cadence_s'])}{clock}"


def nothing() -> None:
    """No source has ever spoken and the catalogue expects none."""
    tiles.empty(
        "No message has been received yet, and the catalogue expects no feed.",
        next_step="Send a first event or point an exporter at the intake:",
        code=f"curl -sS -X POST {session.intake()}/v1/events -H 'content-type: application/cloudevents+json' -d @event.json",
    )


# --- rejects -----------------------------------------------------------------------------------------------------------------
def reasons(rows: Sequence[Row]) -> None:
    """Why messages were rejected, the most frequent reason first."""
    if not rows:
        tiles.empty("No open reject.", next_step="What cannot be stored is kept here with its bytes until it is replayed.")
        return
    for r in rows[:5]:
        st.markdown(
            f"**{units.count(r['n'])}** of {units.plain(r['name'])}: {units.plain(r['why'][:300])} "
            f":gray[last {units.ago(r['last_at'], frame.now())}]"
        )
    if len(rows) > 5:
        st.caption(f"and {units.of(len(rows) - 5, 'further reason')}; the table below holds them all.")


def rejects(rows: Sequence[Row], chosen: str) -> None:
    """The open rejects, newest first; choosing one shows its bytes."""
    if not rows:
        return
    st.dataframe(
        {
            "Received": [frame.when(r["received_at"]) for r in rows],
            "Source": [r["name_of_source"] for r in rows],
            "Reason": [r["reason"] for r in rows],
            "Size": [size(r["bytes"]) for r in rows],
            "Format": [r["format"] for r in rows],
            "Name": [r["name"] for r in rows],
        },
        key="reject_table",
        hide_index=True,
        on_select=lambda: tables.choose("reject_table", [r["reject_id"] for r in rows], "reject"),
        selection_mode="single-row",
        selection_default=tables.chosen([r["reject_id"] for r in rows], chosen),
        height=tables.height(len(rows), 280),
        column_config={"Size": tables.right(), "Reason": tables.text(width=260)},
        alt=f"{len(rows)} open rejects, newest first",
    )
    st.caption("Choose a row to see its bytes and the reason, and to replay it.")


def reject(row: Row | None, reject_id: str) -> None:
    """One reject: why, and what was sent, as text and as hex; the whole of it to download."""
    if row is None:
        tiles.empty(f"No reject has the id {units.plain(reject_id)}.", next_step="It may be past its retention.")
        return
    tiles.heading(f"Reject of {units.plain(row['name_of_source'])}, {frame.when(row['received_at'])}")
    word = tiles.status("on_target", "Replayed") if row["status"] == "replayed" else tiles.status("off_target", "Open")
    tiles.facts(
        [
            ("Status", word),
            ("Reason", units.plain(row["reason"])),
            ("Sent as", units.plain(f"{row['name']} {row['content_type']}".strip())),
        ]
    )
    head: bytes = row["head"]
    shape = st.segmented_control(
        "Bytes as", ["text", "hex"], default="text" if is_readable(head) else "hex", key=f"as_{reject_id}", required=True
    )
    shown = f"the first {size(len(head))} of {size(row['bytes'])}" if row["bytes"] > len(head) else size(row["bytes"])
    st.caption(f"What was sent, {shown}.")
    st.code(hex_dump(head) if shape == "hex" else head.decode("utf-8", "replace"), language=None, height=260)
    st.download_button(
        "Download the bytes", lambda: queries_intake.payload(reject_id), row["name"].rpartition("/")[2] or f"{reject_id}.bin",
        "application/octet-stream", key="download_reject", on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def hex_dump(body: bytes, width: int = 16) -> str:
    """Bytes as offset, hex and what of them is printable ASCII."""
    lines = []
    for at in range(0, len(body), width):
        part = body[at : at + width]
        seen = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{at:06x}  {part.hex(' '):<{3 * width - 1}}  {seen}")
    return "\n".join(lines)


def is_readable(head: bytes) -> bool:
    """Whether the bytes are text: UTF-8 without control characters, a character cut at the end aside."""
    text = head.decode("utf-8", "replace")[:-1]
    return "\ufffd" not in text and all(c.isprintable() or c in "\r\n\t" for c in text)


def size(n: int) -> str:
    """Bytes as people write them: `812 B`, `28.8 MB`."""
    for step, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n >= step:
            return f"{units.count(n / step)} {name}"
    return f"{n} B"


# --- findings, jobs, ourselves -----------------------------------------------------------------------------------------------
def findings(rows: Sequence[Row]) -> None:
    """What was odd in messages that were stored all the same: the first sign of a contract that drifts."""
    if not rows:
        tiles.empty("Nothing odd in what was stored in this window.")
        return
    st.dataframe(
        {
            "Source": [r["name"] for r in rows],
            "Kind": [r["kind"] for r in rows],
            "Finding": [r["text"] for r in rows],
            "Times": [r["n"] for r in rows],
            "Messages": [r["n_messages"] for r in rows],
            "First place": [r["place"] for r in rows],
            "Last": [units.ago(r["last_at"], frame.now()) for r in rows],
        },
        key="findings",
        hide_index=True,
        height=tables.height(len(rows), 300),
        column_config={
            "Finding": tables.text(width=420),
            "Times": tables.number("How often it was met"),
            "Messages": tables.number("In how many messages"),
            "Last": tables.right(),
        },
        alt=f"{len(rows)} kinds of findings",
    )


def jobs(rows: Sequence[Row]) -> None:
    """Our own jobs: when each ran last, how long it took and how it ended."""
    if not rows:
        tiles.empty(
            "No job has run in this window.",
            next_step="Jobs run beside the collectors: is `milepost up` or `milepost collect` running?",
        )
        return
    st.dataframe(
        {
            "Job": [r["name"] for r in rows],
            "Status": [tiles.status_text(*(("on_target", "Ok") if r["is_ok"] else ("off_target", "Failed"))) for r in rows],
            "Last run": [units.ago(r["last_at"], frame.now()) for r in rows],
            "Took": [_time(r["took_s"]) for r in rows],
            "p95": [_time(r["p95_s"]) for r in rows],
            "Runs": [r["n_runs"] for r in rows],
            "Failed": [r["n_failed"] for r in rows],
            "Last failure": [
                _told(r["last_failure"] or "no reason given", r["failed_at"]) if r["n_failed"] else "" for r in rows
            ],
        },
        key="jobs",
        hide_index=True,
        height="content",
        column_config={
            "Last run": tables.right(), "Took": tables.right("The last run"), "p95": tables.right("Of the window"),
            "Runs": tables.number(), "Failed": tables.number(),
        },
        alt=f"{len(rows)} jobs",
    )  # fmt: skip


def own_acts(rows: Sequence[Row]) -> None:
    """What Milepost says of itself: its own spans by name; choosing one opens its traces."""
    if not rows:
        tiles.empty(
            "Milepost has told nothing of itself in this window.",
            next_step="It may send its telemetry elsewhere: see OTEL_EXPORTER_OTLP_ENDPOINT.",
        )
        return
    st.dataframe(
        {
            "Act": [r["act"] for r in rows],
            "Number": [r["n"] for r in rows],
            "Errors": [r["n_errors"] for r in rows],
            "p50": [_time(r["p50_s"]) for r in rows],
            "p95": [_time(r["p95_s"]) for r in rows],
            "Last": [units.ago(r["last_at"], frame.now()) for r in rows],
            "Last error": [r["said"] for r in rows],
        },
        key="own_acts", hide_index=True, height=tables.height(len(rows), 300),
        column_config={
            "Number": tables.number(), "Errors": tables.number(), "p50": tables.right(), "p95": tables.right(),
            "Last": tables.right(),
        },
        alt=f"{len(rows)} acts of Milepost itself",
    )  # fmt: skip
    frame.link_to("traces", "Milepost's own traces", service="milepost")


def _time(seconds: float) -> str:
    return f"{units.count(seconds * 1e3)} ms" if seconds < 1 else units.duration(seconds)
