"""
A refresh that the page before has asked for must not empty this one.

Why Streamlit is mended here: a part that refreshes itself asks the server by its fragment and by the page that it stood on.
Where that page has been left meanwhile (a click and a refresh that cross, which a busy machine makes likely), Streamlit 1.67
runs it all the same, for the status line is the same fragment on every page; the browser then takes the answer for a change of
page, clears what it shows, and stays empty until something is clicked. The page that asked is gone, so nothing is lost.
`tests/test_browser_stale.py` sends one, and fails without this.
"""

from __future__ import annotations

from functools import wraps

from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

_run = script_runner.ScriptRunner._run_script


@wraps(_run)
def _run_unless_stale(self: script_runner.ScriptRunner, rerun_data: RerunData) -> None:
    shown = self._get_script_run_ctx().page_script_hash
    if not (rerun_data.fragment_id_queue and shown and rerun_data.page_script_hash != shown):
        _run(self, rerun_data)


def leave_stale_ones() -> None:
    """From now on, in this process; asked for twice it is the same."""
    script_runner.ScriptRunner._run_script = _run_unless_stale  # type: ignore[method-assign]
