"""
Scorecard: can I trust our synchronisation, and is it getting better? For executives; nothing moves.
"""

from __future__ import annotations

import streamlit as st

from dashboard import frame, parts_scorecard, queries_scorecard, tiles

view = frame.view()
if frame.is_before_first_event():
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    period = parts_scorecard.period()
    card = parts_scorecard.card(period)
    with st.container(horizontal=True, width="content", gap="small"):
        parts_scorecard.downloads(card)
days = queries_scorecard.PERIODS[period]

st.markdown(f"#### {card.sentence}")
parts_scorecard.spoken_of(card)
with st.grid(3, min_column_width=320, gap="small"):
    for one in card.composites:
        parts_scorecard.composite(one, period)

tiles.heading(
    f"Workflows, the last {days} days against the {days} before",
    help="The worst first. A workflow is what the catalogue promises of a kind of object.",
)
parts_scorecard.workflows(card.workflows, card.by_day)
by_week = queries_scorecard.attainment(view.as_of, view.scope, queries_scorecard.WEEK_S)
parts_scorecard.trends(card.workflows, by_week, card.ageing, days, card.first_at)
parts_scorecard.cost(card.incident_rows, period)
