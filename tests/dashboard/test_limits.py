"""
A part of the data: what a viewer's groups let him see, and that no read and no page leaks anything else.

Why every read is walked: what is added tomorrow must be cut to the viewer's part as well, or this module fails. Why leaks are
looked for in all that a page sends: a name in a tooltip is a leak, too.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import streamlit as st

from dashboard import access, limits, queries, queries_inbox, queries_object, queries_operations, queries_traces, session
from dashboard.access import Policy
from dashboard.queries import Read
from schema import exceptions
from schema.governance import Catalogue
from schema.store import Store
from tests.dashboard import enterprise
from tests.dashboard.conftest import words
from tests.dashboard.telling import Told, log, minutes, tell, trace_id
from tests.dashboard.visitors import PARTS, POLICY, claims, everything, page, reads, viewer

MONTH_S = 30 * 86400
MOST = 3
SEEN, MIXED, FOREIGN = 1, 2, 3  # traces: of the viewer's part, of his and another's, of another's; those of each cut by tens


def test_what_a_viewer_sees_cannot_be_widened_by_the_url() -> None:
    """The URL chooses inside of it; what lies outside is nothing, and not everything."""
    seen = ("region=EU-North", "region=EU-West")
    assert limits.within(seen, ()) == ("region=EU-North", "region=EU-West", "strict=")
    assert limits.within(seen, ("carrier=ACME", "region=EU-West", "region=US-East")) == ("carrier=ACME", "region=EU-West", "strict=")
    assert limits.within(seen, ("region=US-East",)) == (f"region={limits.NOTHING}", "strict=")
    assert limits.within(seen, limits.within(seen, ("region=US-East",))) == (f"region={limits.NOTHING}", "strict=")
    assert limits.within((), ("region=US-East",)) == ("region=US-East",)


def test_groups_of_one_cut_add_up_and_all_others_restrict_each_other() -> None:
    """Two regions are both seen; a carrier within them is less, and never what no group grants."""
    assert viewer("north", "west").limits == ("region=EU-North", "region=EU-West")
    assert viewer("north", "velo").limits == ("carrier=HANSA", "region=EU-North")
    pairs = [("region=A", "carrier=X"), ("region=B", "carrier=Y")]
    assert limits.joined(pairs) == (f"carrier={limits.NOTHING}", f"region={limits.NOTHING}")


@pytest.fixture(scope="module")
def told(shared_store: Store) -> Store:
    """The enterprise with three traces a cut: of a part, of it and elsewhere, of elsewhere; all called in the north."""
    enterprise.fill(shared_store, datetime.now(UTC))
    tell_traces(shared_store, datetime.now(UTC) - minutes(9))
    return shared_store


def tell_traces(store: Store, at: datetime) -> None:
    """The traces of each cut, and what is raised of nobody."""
    for cut in PARTS:
        _, _, value = PARTS[cut][0].partition("=")
        ours, other = (_orders(store, f"{cut} {sign} '{value}'")[0] for sign in ("=", "!="))
        for kind, orders in ((SEEN, (ours,)), (MIXED, (ours, other)), (FOREIGN, (other,))):
            n = number(cut, kind)
            called = [{"milepost.interface": "orders", "milepost.region": "EU-North", "milepost.order_id": o} for o in orders]
            tell(store, *(Told(n, 10 * n + i, at, said=said, error="boom") for i, said in enumerate(called)))
            log(store, n, 10 * n, at, f"body of {','.join(orders)}")
    _raise_of_nobody(store, at)


def _raise_of_nobody(store: Store, at: datetime) -> None:
    """An interface fails that is no region's, customer's or carrier's."""
    columns = ("code", "fingerprint", "detected_at", "began_at", "reason", "interface", "place", "owner", "severity", "sla_s", "ver")
    row = ("INT.FAIL", "of nobody", at, at, "all messages failed", "orders", "orders", "integration", 1, 14400, 1)
    store.insert("exceptions", columns, [row])


def number(cut: str, kind: int) -> int:
    """Which of the traces of a cut."""
    return 10 * list(PARTS).index(cut) + kind


def trace(cut: str, kind: int) -> str:
    """Its id."""
    return trace_id(number(cut, kind))


def _orders(store: Store, where: str) -> list[str]:
    sql = f"SELECT object_id FROM object_state FINAL WHERE object_type = 'order' AND {where} ORDER BY object_id"
    return [r["object_id"] for r in store.query(sql)]


def foreign(store: Store, seen: tuple[str, ...]) -> set[str]:
    """What a viewer of a part must never be shown: objects and exceptions of others, and other values of his cut."""
    cut, _, value = seen[0].partition("=")
    rows = store.query(
        f"SELECT object_id AS id FROM object_state FINAL WHERE {cut} != {{v:String}} UNION DISTINCT "
        f"SELECT lower(hex(cityHash64(code, fingerprint, detected_at))) FROM exceptions WHERE {cut} != {{v:String}} UNION DISTINCT "
        f"SELECT toString({cut}) FROM object_state FINAL WHERE {cut} NOT IN ({{v:String}}, '')",
        {"v": value},
    )
    return {r["id"] for r in rows}


def asked(store: Store, seen: tuple[str, ...]) -> dict[str, list[Any]]:
    """What the reads are asked for, by the name of the parameter: always somebody else's as well."""
    cut, _, value = seen[0].partition("=")
    theirs = store.query(f"SELECT object_type, object_id FROM object_state FINAL WHERE {cut} != {{v:String}} LIMIT 1 BY object_type", {"v": value})
    ids = [r["id"] for r in exceptions.find(store, datetime.now(UTC))]
    return {
        "as_of": [None], "scope": [(), ("region=US-East", "customer=Alder")], "object_type": [r["object_type"] for r in theirs],
        "object_id": [r["object_id"] for r in theirs], "id_": ids[:40], "ids": [tuple(ids)], "me": ["Kim"], "saved": ["open"],
        "incident": ["", *{r["incident"] for r in exceptions.find(store, datetime.now(UTC))}], "interface": ["acme-pod", "orders"], "by": ["region", "", ""],
        "carrier": ["ACME"], "region": ["US-East"], "guard": ["pod_received"], "target": ["invoice_ready"], "mode": ["ftl"],
        "days": [30], "bucket_s": [86400], "length_s": [MONTH_S], "name": ["status_staleness", "partner_latency", "retry_amplification"],
        "code": [*{r["code"] for r in exceptions.find(store, datetime.now(UTC))}], "trace": [trace(cut, MIXED), trace(cut, FOREIGN)], "key": [r["object_id"] for r in theirs] + ["45"],
        "traces": [[trace(cut, kind) for kind in (SEEN, MIXED, FOREIGN)]], "trace_id": [trace(cut, MIXED), trace(cut, FOREIGN)],
    }  # fmt: skip


@pytest.mark.parametrize("cut", PARTS)
def test_no_read_shows_anything_of_another_part(told: Store, catalogue: Catalogue, cut: str) -> None:
    """Two regions, two customers, two carriers: whatever a read is asked for, nothing of the others comes back."""
    st.cache_data.clear()
    session.open(told, catalogue)
    seen, given = PARTS[cut], asked(told, PARTS[cut])
    hidden, walked = foreign(told, seen) | {trace(cut, MIXED), trace(cut, FOREIGN)}, 0
    for name, read in reads():
        if read.pages <= access.NOT_CUT:
            continue
        for args in itertools.islice(rounds(read, given), MOST if cut == "region" else 1):
            with limits.reading(seen):
                answer = read(*args)
            walked += 1
            if name not in ("queries_object.waits", "queries_traces.names"):
                shown = str(answer)
                echoed = {str(a) for a in args}
                assert {h for h in hidden if f"'{h}'" in shown} - echoed == set(), (name, args)
            if name in OF_AN_OBJECT:
                assert not answer, (name, args)
    session.close()
    assert walked > 35, "the reads are walked, and not passed by"


# Reads about one thing, which is somebody else's here: there is no answer at all.
OF_AN_OBJECT = (
    "queries.objects_by_id", "queries.objects_seen", "queries.is_trace", "queries_object.one", "queries_object.events",
    "queries_object.family", "queries_object.exceptions", "queries_traces.spans", "queries_traces.logs", "queries_traces.objects",
    "queries_traces.journey",
)  # fmt: skip


def rounds(read: Read[Any, Any], given: dict[str, list[Any]]) -> Iterator[list[Any]]:
    """The arguments of a read, each time with the next values; a parameter that is not in the table fails."""
    required = [n for n, p in inspect.signature(read.read).parameters.items() if p.default is inspect.Parameter.empty]
    for i in range(max((len(given[n]) for n in required), default=1)):
        yield [given[n][i % len(given[n])] for n in required]


def test_a_viewer_of_a_part_finds_what_is_his(told: Store, catalogue: Catalogue) -> None:
    """A lock that shows nothing to anybody would pass the test above."""
    st.cache_data.clear()
    session.open(told, catalogue)
    mine = _orders(told, "region = 'EU-North'")
    with limits.reading(PARTS["region"]):
        assert [r["object_id"] for r in queries.objects_by_id(mine[0])] == [mine[0]]
        assert queries_object.one(None, "order", mine[0])["region"] == "EU-North"  # type: ignore[index]
        assert queries_object.events(None, "order", mine[0])
        assert queries_object.family(None, "order", mine[0])
        assert queries.cuts(None)["region"] == ["EU-North"]
        assert queries_operations.stages(None, (), "region")
        assert {r["region"] for r in queries_inbox.listed(None, (), "", "open", "")} == {"EU-North"}
        ours = {r["trace"] for r in queries_traces.search(None, (), MONTH_S)}
        assert [trace("region", kind) in ours for kind in (SEEN, MIXED, FOREIGN)] == [True, False, False]
        assert len(queries_traces.spans(trace("region", SEEN))) == 1
        assert queries.is_trace(trace("region", SEEN))
        assert queries_operations.stages(None, ("region=EU-West",), "") == []
    session.close()


@pytest.mark.parametrize("name", ["operations", "exceptions", "object", "traces", "numbers"])
def test_no_page_sends_anything_of_another_part(told: Store, catalogue: Catalogue, name: str) -> None:
    """Everything that goes to the browser is looked through: tables, charts, tooltips, choices of a filter."""
    st.cache_data.clear()
    session.open(told, catalogue, policy=POLICY)
    theirs = _orders(told, "region = 'US-East'")[0]
    asked_for = {"object": {"type": "order", "id": theirs}, "traces": {"trace": trace("region", MIXED)}}.get(name, {})
    test = page(name, claims("north"), region=["US-East", "EU-North"], **asked_for)
    sent = everything(test)
    session.close()
    assert list(test.exception) == []
    assert len(sent) > 500
    hidden = foreign(told, PARTS["region"]) - {theirs, "US-East"}
    assert {h for h in hidden if h in sent} == set()


@pytest.mark.parametrize("name", sorted(access.NOT_CUT))
def test_what_cannot_be_cut_is_not_shown_to_a_viewer_of_a_part(opened: Store, name: str) -> None:
    """A message has no region before it is read, and an interface carries everybody's."""
    test = page(name, claims("north"))
    assert "You see a part of the data (region EU-North), and this page cannot be cut to it." in words(test).replace("\\", "")
    assert list(test.dataframe) == []


def test_the_downloads_of_a_scorecard_hold_the_viewers_part_only(told: Store, catalogue: Catalogue) -> None:
    """CSV and HTML are made of the same reads, and kept answers go by the part: the others' are not handed out."""
    st.cache_data.clear()
    session.open(told, catalogue, policy=Policy({"board": "executive", "all": "executive"}, {"board": PARTS["region"]}))

    def worth(group: str) -> str:
        test = page("scorecard", claims(group))
        assert list(test.exception) == []
        return everything(test)

    whole, part = worth("all"), worth("board")
    session.close()
    assert whole != part
    assert {h for h in foreign(told, PARTS["region"]) if h in part} == set()


def test_a_verb_reaches_no_exception_of_another_part(told: Store, catalogue: Catalogue) -> None:
    """An id is known from a mail; the verb on it does nothing."""
    session.open(told, catalogue)
    ids = [r["id"] for r in exceptions.find(told, datetime.now(UTC)) if r["region"] != "EU-North"]
    with limits.reading(PARTS["region"]):
        assert queries.exceptions_seen(ids) == []
    session.close()


def test_a_statement_that_takes_no_scope_is_refused_to_a_viewer_of_a_part(filled: Store) -> None:
    """What somebody forgets to cut shows nothing, and says so; and nothing is written through a part."""
    part = limits.Narrowed(filled, PARTS["region"])
    with pytest.raises(limits.Refused, match="cannot be cut"):
        part.query("SELECT count() FROM events")
    with pytest.raises(limits.Refused):
        part.command("TRUNCATE TABLE events")
    with pytest.raises(limits.Refused):
        part.insert("events", ["event_id"], [["x"]])
