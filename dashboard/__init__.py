"""
Room 3: how it is seen. Imports `schema` only.

    app.py        the entry script: page config, navigation, frame, then the page
    frame.py      search, shared filters, status line, what happens when the store is away
    filters.py    the view (window, cuts, as_of, kiosk) as a value, to and from the URL      links: filters.link()
    session.py    the store and the catalogue, given once by the front door; who looks, and what he may read and do
    access.py     roles, groups and sessions      limits.py  the part of the data that a viewer sees, and a store cut to it
    queries*.py   every read: kept for all sessions, by name, one function a panel; pages hold no SQL      kept.py  how
    parts_*.py    the parts of one page, drawn      app_pages/  the pages      style.html  how dense a page is
    tiles.py      pieces of Streamlit that several pages use      charts.py  data -> figure, knows no Streamlit
    units.py      how numbers, money, ages and times are written  sentences.py  detector templates -> sentences
    serve.py      the ASGI server of the pages, with its headers and limits      gate.py  which requests reach them at all

How a page is added
    1. `app_pages/NAME.py`: flat, about sixty lines, no SQL, no sums, no try/except, no raw HTML. It begins with
       `view = frame.view()`. It is found by its name in `frame.PAGES` and appears as soon as the file exists, to the roles that
       `access.ROLES` gives it.
    2. Reads go to `queries_NAME.py`: `@queries.live` (asked again when something has changed), `@queries.cached(ttl_s)`
       (refreshed behind the viewers' backs), `@queries.eventually` (None until it is known: nobody waits) or `@queries.direct`
       over a function of plain, quantised arguments, always with `as_of: datetime | None` (= view.as_of; None is now) first and
       `scope: tuple[str, ...]` (= view.scope), and inside it `queries.at(as_of)` for the moment and `session.store()` for the
       store. Never `st.*` inside. The arithmetic is a view in schema/views; the function names columns and binds values.
       `access.READERS` says whose pages may ask, and `tests/dashboard/test_limits.py` that nothing of another's part comes
       back: what takes no scope asks `is_limited()`.
    3. A live part is a function under `@frame.live(10, "key")`, a fragment that refreshes itself and survives the store's
       absence. Use ECharts or st.metric in it: Plotly is rebuilt at every refresh. On pages that do not move, use either.
    4. Going somewhere: `frame.go("object", type="order", id=id_)` from a button or a selection, `frame.link_to(...)` for a
       link that is drawn, `filters.link("traces", view, trace=id_)` for an address in a table. Each keeps the view. A page's
       own state (a selected row) lives in the URL too: `st.query_params`.
    5. Nothing there is a sentence with the next step: `tiles.empty(...)`. Times are written with `frame.zone()`.
"""

import logging

# Pages' code is loaded while the store opens, before Streamlit's runtime is there; what it says of that nobody needs to read.
_caching = logging.getLogger("streamlit.runtime.caching.cache_data_api")
_caching.addFilter(lambda said: "No runtime found" not in said.getMessage())
