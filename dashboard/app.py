"""
The entry script: what Streamlit runs for every page. Page config, navigation, login gate, frame, then the page.

Why all pages are registered before the gate and the gate stops before the page: a deep link must survive the login, and a
page must never run without it (`app_pages/` and not `pages/`, which Streamlit would run by itself).
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import frame, header
from schema import observe

HERE = Path(__file__).parent
SIDEBAR_PX = 216

st.set_page_config(
    page_title="Milepost", page_icon=str(HERE / "icon.svg"), layout="wide", initial_sidebar_state=SIDEBAR_PX
)  # fmt: skip
st.html(HERE / "style.html")
page = frame.navigate()
if not frame.is_wall():
    st.logo(HERE / ("wordmark_dark.svg" if frame.is_dark() else "wordmark.svg"), size="large", icon_image=HERE / "icon.svg")
header.let_in(page.url_path or "operations")
frame.take_view(page.url_path or "operations")
header.draw()
with frame.trouble(), observe.span(f"page.{page.url_path or 'operations'}"):
    page.run()
