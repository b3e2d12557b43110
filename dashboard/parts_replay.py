"""
Rejects delivered again from the Intake page: one of them, or all of a source, and how it went, in words.

Why replay is a function that the front door lends: to deliver again is the collectors' business, and pages do not know
them. Where pages run as a service of their own there is none, and the page says which command does it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import frame, queries, queries_intake, session, tiles, units

Row = Mapping[str, Any]


def one(row: Row | None) -> None:
    """Deliver one open reject again."""
    if row and row["status"] == "open":
        _replay_button("Replay this reject", "replay_one", row["name_of_source"], (row["reject_id"],))


def all_of(rows: Sequence[Row]) -> None:
    """Deliver all open rejects of a source again: a button a source, how the last one went, or the command that does it."""
    if not rows:
        return
    n_of: dict[str, int] = {}
    for r in rows:
        n_of[r["name"]] = n_of.get(r["name"], 0) + r["n"]
    with st.container(horizontal=True, gap="small"):
        for name, n in n_of.items():
            what = f"all {units.exact(n)} rejects" if n > 1 else "the reject"
            _replay_button(f"Replay {what} of {units.plain(name)}", f"replay_{name}", name)
    if session.replay() is None:
        st.caption("These pages run apart from the collectors. Where those run, one command does it:")
        st.code("\n".join(f"milepost replay --source {shlex.quote(name)}" for name in n_of), language="bash")
    else:
        st.caption("Once the cause is mended: a code added, a mapping corrected. What is stored already is not stored twice.")


def replayed() -> None:
    """How the replay went that was asked for just now."""
    if said := st.session_state.pop("replayed", None):
        st.markdown(said)


def _replay_button(label: str, key: str, source: str, ids: tuple[str, ...] = ()) -> None:
    again, is_past = session.replay(), frame.view().as_of is not None
    why_not = "This is how it stood in the past: go back to now first." if is_past else ""
    why_not = why_not or ("" if again else "These pages run apart from the collectors: use the command.")
    why_not = why_not or ("" if session.viewer().may("replay") else "Your role reads; to replay is for the role admin.")
    if not st.button(label, key=key, icon=":material/replay:", disabled=bool(why_not), help=why_not or None) or not again:
        return
    with frame.trouble():
        with st.spinner("Delivering again …"):
            done = again(source=source, ids=ids)
        st.session_state["replayed"] = outcome(done)
        for read in (queries_intake.rejects, queries_intake.reasons, queries_intake.sources, queries.pulse):
            read.clear()
        st.rerun()


def outcome(done: session.Replayed) -> str:
    """What became of a replay, in words and with its status."""
    if not done.n + done.n_skipped:
        return tiles.status("no_data", "Nothing was left to replay:") + " somebody else has done it meanwhile."
    n_again = done.n - done.n_stored
    said = [f"{units.of(done.n_stored, 'message')} delivered again and stored"] if done.n_stored else []
    said += [f"{units.of(n_again, 'message')} rejected again, the reason is below"] if n_again else []
    said += [f"{units.count(done.n_skipped)} left alone, their source is not configured here"] if done.n_skipped else []
    is_done = not n_again and not done.n_skipped
    word = tiles.status("on_target", "Replayed:") if is_done else tiles.status("watch", "Replayed in part:")
    return f"{word if done.n_stored else tiles.status('off_target', 'Not replayed:')} {'; '.join(said)}."
