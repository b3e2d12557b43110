"""
Three mends of Streamlit 1.67 for parts that refresh by themselves: without the first two a page of many parts loses some, and
without the third they take half as much again of the interpreter for which senders wait, too.

A refresh that the page before has asked for must not empty this one. A part asks the server by its fragment and by the page
that it stood on. Where that page has been left meanwhile (a click and a refresh that cross, which a busy machine makes likely),
Streamlit runs it all the same, for the status line is the same fragment on every page; the browser then takes the answer for a
change of page, clears what it shows, and stays empty until something is clicked. The page that asked is gone, so nothing is
lost. `tests/test_browser_stale.py` sends one, and fails without this.

What a part has drawn must reach the browser. A run hands its drawing to the event loop; where the next part asks just when the
last run has ended, Streamlit starts another runner first, then takes what the loop still holds for that of a stranger, and
throws it away. Parts with the same interval ask together, so that it is the same ones again and again: with ten people watching
one part in eight was lost, and some stood still for 12 s where 4 are meant. Here the next runner begins after what the last one
said has been dealt with. `tests/dashboard/test_reruns.py` makes the two meet, and fails without this.

What a run says of the theme is always the same, and Streamlit makes it anew of all its options for every part that refreshes:
with ten people watching, a third of all that Python did (`py-spy record --gil`). Here it is made once.
"""

from __future__ import annotations

from functools import cache, partial, wraps

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

_run = script_runner.ScriptRunner._run_script
_begin = AppSession._create_scriptrunner
_populate_theme = app_session._populate_theme_msg


def mend() -> None:
    """From now on, in this process; asked for twice it is the same."""
    script_runner.ScriptRunner._run_script = _run_unless_stale  # type: ignore[method-assign]
    AppSession._create_scriptrunner = _begin_after_the_last  # type: ignore[method-assign]
    app_session._populate_theme_msg = _say_the_theme


@wraps(_run)
def _run_unless_stale(self: script_runner.ScriptRunner, rerun_data: RerunData) -> None:
    shown = self._get_script_run_ctx().page_script_hash
    if not (rerun_data.fragment_id_queue and shown and rerun_data.page_script_hash != shown):
        _run(self, rerun_data)


def _begin_after_the_last(self: AppSession, initial_rerun_data: RerunData) -> None:
    """With a runner of the session's still there it is one that has ended by itself, and all it said is in the loop already."""
    if self._scriptrunner is None:
        _begin(self, initial_rerun_data)
    else:
        self._event_loop.call_soon(partial(_begin_now, self, self._scriptrunner, initial_rerun_data))


def _begin_now(self: AppSession, ended: script_runner.ScriptRunner, rerun_data: RerunData) -> None:
    """Unless another request has come first: then its runner takes this one along."""
    if self._state == AppSessionState.SHUTDOWN_REQUESTED:
        return
    if self._scriptrunner is None or self._scriptrunner is ended:
        _begin(self, rerun_data)
    elif not self._scriptrunner.request_rerun(rerun_data):
        _begin_after_the_last(self, rerun_data)


def _say_the_theme(msg: CustomThemeConfig, section: str = "theme") -> None:
    theme = _theme(section)
    if theme.ByteSize():  # else it stays unsaid, as before
        msg.MergeFrom(theme)


@cache
def _theme(section: str) -> CustomThemeConfig:
    theme = CustomThemeConfig()
    _populate_theme(theme, section)
    return theme
