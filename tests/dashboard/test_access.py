"""
Who may see what: roles, checked where data are read; acts; and sessions that end.

Why every read is walked and not a list of them: what is added tomorrow must be refused to the wrong role as well, or this fails.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import access, frame, limits, session
from dashboard.access import Policy
from dashboard.filters import KEYS
from schema.governance import Catalogue
from schema.store import Store
from tests.dashboard import enterprise
from tests.dashboard.conftest import words
from tests.dashboard.visitors import GROUPS, POLICY, ROOM, claims, page, reads, viewer

PAGES = ("operations", "exceptions", "object", "scorecard", "failures", "traces", "intake", "numbers")


# --- roles -------------------------------------------------------------------------------------------------------------------
def test_groups_are_roles_and_roles_add_up() -> None:
    """The provider says who is in which group, the configuration what that opens."""
    assert viewer("the-ops").pages == access.ROLES["ops"].pages
    assert viewer("the-ops", "the-board").pages == access.ROLES["ops"].pages | access.ROLES["executive"].pages
    assert [r for r in access.ROLES if access.ROLES[r].acts & {"verbs"}] == ["ops", "it", "admin"]
    assert [r for r in access.ROLES if access.ROLES[r].acts & {"replay"}] == ["admin"]


def test_groups_are_found_inside_another_claim_and_a_name_alone_is_one_group() -> None:
    """Providers differ in where they put them: a list, one word, or a claim inside a claim."""
    inside = Policy({"ops": "ops"}, claim="realm_access.roles")
    assert inside.viewer(claims() | {"realm_access": {"roles": ["ops"]}}, datetime.now(UTC)).roles == {"ops"}
    assert Policy({"ops": "ops"}).viewer(claims() | {"groups": "ops"}, datetime.now(UTC)).roles == {"ops"}
    assert Policy({"ops": "ops"}).viewer(claims() | {"groups": {"ops": True}}, datetime.now(UTC)).pages == frozenset()


def test_a_user_without_a_known_group_sees_one_sentence_and_no_data(opened: Store) -> None:
    """Signed in is not let in: everybody of the company can sign in."""
    test = page("operations", claims("somebody-else"))
    assert "none of your groups may see Milepost" in words(test)
    assert [*test.metric, *test.dataframe, *test.text_input] == []
    assert "45" not in words(test)


@pytest.mark.parametrize("user", [{"is_logged_in": False}, {}], ids=["logged out", "nobody"])
def test_without_login_a_page_shows_a_button_and_nothing_else(opened: Store, user: dict[str, Any]) -> None:
    """A deep link is kept and its page does not run."""
    test = page("exceptions", user)
    assert [b.label for b in test.button] == ["Continue with single sign-on"]
    assert list(test.dataframe) == []


@pytest.mark.parametrize("group", ["the-ops", "the-board", "the-it"])
def test_a_page_of_another_role_by_url_is_refused(opened: Store, group: str) -> None:
    """The menu hides it; the address is known all the same."""
    who = viewer(group)
    for name in sorted(set(PAGES) - who.pages):
        test = page(name, claims(group))
        assert "This page is for other roles" in words(test), name
        assert [*test.dataframe, *test.metric, *test.text_input] == [], name


@pytest.mark.parametrize("group", ["the-ops", "the-board", "the-it", "somebody-else"])
def test_every_read_refuses_whoever_has_none_of_its_pages(opened: Store, group: str) -> None:
    """The last line: whatever page asks, the read itself knows for whom it may answer."""

    def ask_all() -> None:
        import streamlit as st

        from dashboard.limits import Refused
        from tests.dashboard.visitors import reads

        for name, read in reads():
            try:
                read()
            except Refused:
                st.text(name)
            except TypeError:
                pass  # it would have answered, had it been asked for something
            except KeyError:
                pass

    test = AppTest.from_function(ask_all, default_timeout=60)
    test.user = claims(group)
    test.run()
    assert list(test.exception) == []
    refused = {t.value for t in test.text}
    assert refused == {name for name, read in reads() if not read.pages & viewer(group).pages}
    assert len(refused) > 5


@pytest.mark.parametrize("name", PAGES)
def test_sql_in_every_parameter_of_an_address_is_a_word_like_any_other(opened: Store, name: str) -> None:
    """Filters, keys, moments and choices come from the address bar: each is bound, and none is a piece of a statement."""
    before = opened.value("SELECT count() FROM events")
    names = (*KEYS, "type", "id", "exception", "incident", "interface", "trace", "source", "reject", "kpi", "detector", "by", "cut", "span", "saved", "period", "service", "key")
    for sql in ("'; DROP TABLE events; --", "x') OR 1 = 1 UNION ALL SELECT * FROM events --"):
        test = page(name, claims("the-admins"), **dict.fromkeys(names, sql) | {"type": "order", "kiosk": ""})
        assert list(test.exception) == []
        assert len(words(test)) > 40
    assert opened.value("SELECT count() FROM events") == before


def test_nothing_that_asks_the_store_stands_outside_of_a_read() -> None:
    """A function without its decorator would ask for whoever comes by: each public one of the reads' modules has it."""
    tools = {"ask", "ask_whole", "at", "of_viewer", "cached", "live", "eventually", "direct"}
    bare = []
    for found in pkgutil.iter_modules([str(ROOM)]):
        if found.name.startswith("queries"):
            module = importlib.import_module(f"dashboard.{found.name}")
            public = {n: f for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__}
            bare += [f"{found.name}.{n}" for n in public if not n.startswith("_") and n not in tools]
    assert bare == []


def test_the_store_answers_nobody_outside_of_a_read(opened: Store) -> None:
    """What is written past the reads fails in the first test, instead of showing everything."""
    with pytest.raises(limits.Refused, match="past the reads"):
        session.store()


# --- acts --------------------------------------------------------------------------------------------------------------------
def test_the_signed_in_name_is_the_actor_of_a_verb(store: Store, catalogue: Catalogue) -> None:
    """The audit says who did it; nobody types another's name."""
    enterprise.fill(store, datetime.now(UTC), orders=1)
    st.cache_data.clear()
    session.open(store, catalogue, policy=POLICY)
    test = page("exceptions", claims("the-ops"))
    assert "actor" not in [t.key for t in test.text_input]
    next(b for b in test.button if b.key == "ack_one").click().run()
    assert list(test.exception) == []
    taken = store.query("SELECT actor, verb FROM exception_verbs")
    session.close()
    assert taken == [{"actor": "Kim Larsen", "verb": "acknowledge"}]


def test_an_executive_reads_and_acts_on_nothing(opened: Store) -> None:
    """Neither by a button nor past it."""
    test = page("operations", claims("the-board"))
    assert list(test.exception) == []
    assert any("does not act" in str(b.help) for b in test.button if b.disabled)

    def act_anyway() -> None:
        from dashboard import inbox
        from dashboard.inbox import Wanted

        inbox._act(Wanted(("x",), "acknowledge"))

    anyway = AppTest.from_function(act_anyway)
    anyway.user = claims("the-board")
    assert "Refused" in str(anyway.run().exception[0])


def test_only_an_admin_replays(opened: Store, catalogue: Catalogue) -> None:
    """To deliver again writes; the function that is lent asks who calls it."""
    asked: list[str] = []
    session.open(opened, catalogue, policy=POLICY, replay=lambda *, source="", ids=(): asked.append(source))  # type: ignore[arg-type, return-value]

    def replay() -> None:
        from dashboard import session

        again = session.replay()
        assert again
        again(source="acme")

    for group in ("the-it", "the-admins"):
        test = AppTest.from_function(replay)
        test.user = claims(group)
        assert len(test.run().exception) == (group == "the-it")
    assert asked == ["acme"]


# --- sessions ----------------------------------------------------------------------------------------------------------------
def test_a_session_ends_by_its_login_though_the_cookie_lasts_longer(opened: Store) -> None:
    """Streamlit's cookie is good for 30 days and nobody asks the provider again."""
    fresh, old = page("traces", claims("the-admins", age_h=11.9)), page("traces", claims("the-admins", age_h=12.1))
    assert "Sign out" in [b.label for b in fresh.button]
    assert "your login is older than 12 h" in words(old)
    assert [b.label for b in old.button] == ["Continue with single sign-on"]


@pytest.mark.parametrize("iat", [None, "yesterday", 4_102_444_800], ids=["none", "a word", "the future"])
def test_a_login_that_does_not_say_when_it_began_is_none(iat: Any) -> None:
    """What has no begin has no end."""
    assert POLICY.viewer(claims("the-admins") | {"iat": iat}, datetime.now(UTC)).pages == frozenset()


def test_a_session_that_ends_while_a_page_is_open_is_told_so(opened: Store, catalogue: Catalogue) -> None:
    """The parts that refresh themselves ask as well: an open page does not go on for ever."""
    test = page("operations", claims("the-ops", age_h=11.9))
    assert list(test.exception) == []
    session.open(opened, catalogue, policy=Policy(GROUPS, session_h=11))
    test.run()
    assert "Sign in again" in words(test)
    assert list(test.metric) == []


def test_every_page_of_the_menu_is_some_roles(catalogue: Catalogue) -> None:
    """A page that is added to the menu and not to the roles would be nobody's, without a word."""
    assert {place.name for place in frame.PAGES} == access.PAGES
    assert frozenset[str]().union(*(role.pages for role in access.ROLES.values())) == access.PAGES
