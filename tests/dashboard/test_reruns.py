"""
A part of a page that was drawn reaches the browser, however close the next one asks on its heels.

Why a session of Streamlit's own on a loop of the test's: the two meet within a few milliseconds of luck. Here the loop is held until
the first run has ended, and then the second is asked for, each time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import Runtime, app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from dashboard import reruns, serve

PAGE = """
import streamlit as st

def draw(name):
    st.session_state[name] = st.session_state.get(name, 0) + 1
    st.write(f"{name} {st.session_state[name]}")

for name in ("first", "second", "third"):
    st.fragment(draw, run_every=60, key=name)(name)
"""


@pytest.fixture(autouse=True)
def mended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As the pages are served; Streamlit is as it was afterwards."""
    with monkeypatch.context() as patch:
        patch.setattr(AppSession, "_create_scriptrunner", AppSession._create_scriptrunner)
        patch.setattr(app_session, "_populate_theme_msg", app_session._populate_theme_msg)
        patch.setattr(reruns.script_runner.ScriptRunner, "_run_script", reruns.script_runner.ScriptRunner._run_script)
        patch.setattr(Runtime, "_instance", MagicMock())  # as Streamlit's AppTest has it: there is no server
        reruns.mend()
        yield


def test_a_part_that_was_drawn_is_sent_though_the_next_one_asks_as_it_ends(tmp_path: Path) -> None:
    """Ten parts with the same interval ask together; with one lost each time, the same one would stand still for ever."""
    drawn = asyncio.run(_both_asked(tmp_path / "page.py"))
    assert drawn == ["first 2", "second 2"]


def test_of_two_that_wait_for_the_last_one_neither_is_lost(tmp_path: Path) -> None:
    """The first that waits begins a run, and the second is taken along by it."""
    drawn = asyncio.run(_both_asked(tmp_path / "page.py", again=("second", "third")))
    assert drawn == ["first 2", "second 2", "third 2"]


def test_a_run_says_of_the_theme_what_streamlit_would_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once for all runs: a colour that it forgets, or a section that it adds, is wrong on every page."""
    config.get_config_options(force_reparse=True, options_from_flags=serve._options("127.0.0.1", 8501))
    try:
        reruns._theme.cache_clear()
        said = [asyncio.run(_theme_said(tmp_path / "page.py")) for _ in range(2)]
        monkeypatch.setattr(app_session, "_populate_theme_msg", reruns._populate_theme)
        plain = asyncio.run(_theme_said(tmp_path / "page.py"))
    finally:
        config.get_config_options(force_reparse=True, options_from_flags={})
        reruns._theme.cache_clear()
    assert said == [plain, plain]
    assert plain.dark.ByteSize()
    assert plain.light.ByteSize()


async def _theme_said(page: Path) -> CustomThemeConfig:
    """What a session tells the browser of the theme as it begins a run."""
    async with _session(page) as session:
        session.request_rerun(ClientState())
        return next(m.new_session.custom_theme for m in await _said(session) if m.HasField("new_session"))


@contextlib.asynccontextmanager
async def _session(page: Path) -> AsyncIterator[AppSession]:
    """A session of this page, on the loop that runs."""
    page.write_text(PAGE, "utf-8")
    session = AppSession(ScriptData(str(page)), MemoryUploadedFileManager("/media"), ScriptCache(), None, {})
    try:
        yield session
    finally:
        session.shutdown()


async def _both_asked(page: Path, again: tuple[str, ...] = ("second",)) -> list[str]:
    """Draw the page, ask for its first part, and for the others when that run has ended and the loop has heard nothing of it."""
    async with _session(page) as session:
        session.request_rerun(ClientState())
        parts = _parts(await _said(session))
        _ask(session, parts["first"])
        runner = session._scriptrunner
        assert runner
        assert runner._script_thread
        runner._script_thread.join(20)
        for name in again:
            _ask(session, parts[name])
        return _texts(await _said(session))


def _ask(session: AppSession, part: str) -> None:
    session.request_rerun(ClientState(fragment_id=part, is_auto_rerun=True, page_script_hash=session.page_script_hash))


async def _said(session: AppSession) -> list[ForwardMsg]:
    """All that it sends until nothing runs any more."""
    said: list[ForwardMsg] = []
    quiet = 0
    while quiet < 5:
        await asyncio.sleep(0.02)
        new = session.flush_browser_queue()
        said += new
        quiet = 0 if new or session._scriptrunner else quiet + 1
    return said


def _parts(said: list[ForwardMsg]) -> dict[str, str]:
    """The id of each part, by the first word that it drew."""
    texts = [(m.delta.new_element.markdown.body, m.delta.fragment_id) for m in said if m.HasField("delta")]
    return {text.split()[0]: part for text, part in texts if text}


def _texts(said: list[ForwardMsg]) -> list[str]:
    return [m.delta.new_element.markdown.body for m in said if m.HasField("delta") and m.delta.new_element.HasField("markdown")]
