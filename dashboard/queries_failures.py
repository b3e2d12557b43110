"""
What the Failures page reads: every interface against its usual and with what is behind it, and one interface in depth.

Why the page asks for one window and not for two moments: the usual of an interface is the same hours of the days before,
which the views work out from the window, so that a number and what it is held against never come from different questions.
"""

from __future__ import annotations

from datetime import datetime

from dashboard.queries import CALM_S, Rows, ask, cached

SINCE = "from = WINDOW_START"
CUTS = ("region", "warehouse", "carrier", "order_class")


@cached(CALM_S)
def edges(as_of: datetime | None, scope: tuple[str, ...], length_s: int) -> Rows:
    """Every interface, the worst first: what a detector raised, then by the value behind it, then by the share that fails."""
    return ask(
        f"""
        SELECT * FROM edges({SINCE}, SCOPED)
        ORDER BY indexOf(['off_target', 'watch', 'on_target', 'no_data'], status), value DESC, error_share DESC, interface
        """,  # noqa: S608 names of parameters
        as_of, scope, length_s=length_s,
    )  # fmt: skip


@cached(CALM_S)
def course(as_of: datetime | None, scope: tuple[str, ...], length_s: int, interface: str, bucket_s: int) -> Rows:
    """One interface by bucket, beside its usual."""
    return ask(
        f"""
        SELECT * FROM edge_course(interface = {{interface:String}}, {SINCE}, bucket_s = {{bucket_s:UInt32}}, SCOPED)
        ORDER BY bucket
        """,  # noqa: S608 names of parameters
        as_of,
        scope,
        length_s=length_s,
        interface=interface,
        bucket_s=bucket_s,
    )


@cached(CALM_S)
def changes(as_of: datetime | None, interface: str) -> Rows:
    """When each version of a service was first seen on this interface, newest first; the first one ever is no change."""
    return ask(
        """
        SELECT service, version, since, row_number() OVER (PARTITION BY service ORDER BY since) > 1 AS is_change FROM
        (
            SELECT toString(service) AS service, toString(version) AS version, min(at) AS since FROM interface_calls
            WHERE interface = {interface:String} AND version != '' AND at <= AS_OF GROUP BY service, version
        )
        ORDER BY since DESC LIMIT 50
        """,
        as_of, interface=interface,
    )  # fmt: skip


@cached(CALM_S)
def failing(as_of: datetime | None, scope: tuple[str, ...], length_s: int, interface: str) -> Rows:
    """The last twenty calls that failed on the interface, with what they were about."""
    return ask(
        """
        SELECT at, trace_id, toString(service) AS service, status_message, attempt, duration_ns / 1e9 AS took_s, object_ids,
               toString(region) AS region_of
        FROM interface_calls
        WHERE interface = {interface:String} AND is_error AND at > WINDOW_START AND at <= AS_OF
        ORDER BY at DESC, span_id LIMIT 1 BY trace_id, span_id LIMIT 20
        """,
        as_of, scope, length_s=length_s, interface=interface,
    )  # fmt: skip


@cached(CALM_S)
def messages(as_of: datetime | None, scope: tuple[str, ...], length_s: int, interface: str) -> Rows:
    """Messages that needed more than one attempt or failed: those that may still be tried again first, then the newest."""
    return ask(
        f"""
        SELECT *, count() OVER () AS n_all, countIf(is_retrying) OVER () AS n_now
        FROM edge_messages(interface = {{interface:String}}, {SINCE}, SCOPED)
        ORDER BY is_retrying DESC, last_at DESC, message LIMIT 200
        """,  # noqa: S608 names of parameters
        as_of, scope, length_s=length_s, interface=interface,
    )  # fmt: skip


@cached(CALM_S)
def hit(as_of: datetime | None, scope: tuple[str, ...], length_s: int, interface: str) -> Rows:
    """The objects behind the interface, the most valuable first, at most 500."""
    return ask(
        f"""
        SELECT * FROM interface_impact({SINCE}, SCOPED) WHERE interface = {{interface:String}}
        ORDER BY value DESC, object_id LIMIT 500
        """,  # noqa: S608 names of parameters
        as_of,
        scope,
        length_s=length_s,
        interface=interface,
    )


@cached(CALM_S)
def hit_by(as_of: datetime | None, scope: tuple[str, ...], length_s: int, interface: str, cut: str) -> Rows:
    """The same objects counted by one cut."""
    return ask(
        f"""
        SELECT toString(multiIf({{cut:String}} = 'region', region, {{cut:String}} = 'warehouse', warehouse,
                                {{cut:String}} = 'carrier', carrier, order_class)) AS name,
               count() AS n, countIf(how = 'failed') AS n_failed, uniqExactIf(customer, customer != '') AS n_customers,
               sum(value) AS worth
        FROM interface_impact({SINCE}, SCOPED) WHERE interface = {{interface:String}}
        GROUP BY name ORDER BY worth DESC, name LIMIT 50
        """,  # noqa: S608 names of parameters
        as_of, scope, length_s=length_s, interface=interface, cut=cut,
    )  # fmt: skip


@cached(CALM_S)
def caused(as_of: datetime | None, scope: tuple[str, ...], length_s: int, interface: str) -> Rows:
    """The open incidents that the interface is behind: how many exceptions, what they are worth, since when, whose."""
    return ask(
        f"""
        SELECT incident, any(code) AS code, any(place) AS place, min(e.severity) AS worst, count() AS n, sum(e.value) AS value,
               min(e.began_at) AS oldest_at, topK(1)(e.owner)[1] AS owner, any(how) AS via, argMax(e.reason, e.value) AS reason
        FROM edge_exceptions(interface = {{interface:String}}, {SINCE}, SCOPED) AS e
        GROUP BY incident ORDER BY worst, value DESC, incident LIMIT 50
        """,  # noqa: S608 names of parameters
        as_of, scope, length_s=length_s, interface=interface,
    )  # fmt: skip
