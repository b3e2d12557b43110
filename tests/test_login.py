"""
Signing in through a real provider in a real browser, and what a hostile text does on the pages afterwards, which is nothing.

Why in the browser when the roles are tested without one: redirects, cookies and the page's own policy are the browser's, and
whether `<img onerror>` is a picture or a word only it can say.
`python -m tests.test_login FOLDER` is the server of the pages.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

import milepost
from collectors import config
from dashboard import serve
from schema import governance, migrate
from schema.store import connect
from tests.dashboard import hostile
from tests.parts.oidc import SECRET, Provider
from tests.parts.pages import ENV, MAIN, free_port, opened, serving

WAIT_MS = 30_000
VIEWPORT: ViewportSize = {"width": 1440, "height": 1000}
# What a browser would have made of the attack, each with the text around it.
MADE_OF_TEXT = """
[...document.querySelectorAll(`img[onerror], img[src='x'], img[alt='p'], [href^='javascript'], [href*='evil.example'], .katex, strong, b, code,
    [data-testid='stIconMaterial'], [aria-label='bomb icon']`)]
.filter(e => !e.matches("strong, b, code, [data-testid]") || ["bo_ld", "c", "bomb"].includes(e.textContent.trim()))
.map(e => `${e.outerHTML.slice(0, 120)} in ${e.parentElement.outerHTML.slice(0, 500)}`)
"""
LINK = "/exceptions?window=7d&region=EU-West"
BUTTON = "Continue with single sign-on"
FILE = """
data = "{folder}"
[listen]
pages = {port}
[auth]
issuer = "{issuer}"
client_id = "milepost"
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
[auth.groups]
admins = "admin"
board = "executive"
"""


def main(folder: str) -> None:
    """Pages over a hostile store, behind the login that the file says, until SIGTERM."""
    settings, catalogue = config.load(Path(folder) / "milepost.toml"), governance.load()
    store = connect(f"chdb://{folder}/store")
    migrate.migrate(store, catalogue)
    hostile.of_now(store)
    serve.server(store, catalogue, port=settings.listen.pages, login=milepost._login(settings)).run()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(free_port(), f"http://127.0.0.1:{free_port()}/oauth2callback") as running:
        running.people = {
            "Kim": {"name": "Kim Larsen", "groups": ["admins"]},
            "Bo": {"name": "Bo Board", "groups": ["board"]},
            "Eve": {"name": "Eve", "groups": ["visitors"]},
        }
        yield running


@pytest.fixture(scope="module")
def url(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("login"), provider.pages
    (folder / "milepost.toml").write_text(FILE.format(folder=folder, port=port, issuer=provider.issuer), "utf-8")
    env = ENV | {"MILEPOST_CLIENT_SECRET": SECRET, "MILEPOST_COOKIE_SECRET": "k" * 40}
    address, log = f"http://127.0.0.1:{port}", folder / "log"
    with serving([sys.executable, "-m", "tests.test_login", str(folder)], address, log, env=env):
        yield address
    said = log.read_text("utf-8", "replace")
    assert not [text for text in (SECRET, "k" * 40) if text in said], "a secret stands in the log"


@pytest.fixture(scope="module")
def admin(browser: Browser, url: str) -> Iterator[Page]:
    """A tab in which the admin has signed in."""
    page = browser.new_page(viewport=VIEWPORT)
    yield sign_in(page, url, "Kim")
    page.close()


def sign_in(page: Page, address: str, who: str) -> Page:
    """Open a page, sign in as somebody at the provider, and come back."""
    opened(page, address)
    page.get_by_role("button", name=BUTTON).click(timeout=WAIT_MS)
    page.get_by_role("link", name=f"Sign in as {who}").click(timeout=WAIT_MS)
    page.wait_for_selector(f"{MAIN} [data-testid='stVerticalBlock']", timeout=WAIT_MS)
    return page


def test_a_deep_link_survives_the_login_and_the_way_out_forgets_who_it_was(url: str, page: Page) -> None:
    """The mail says 'look at this'; whoever must sign in first lands on it, by his name, and can leave again."""
    opened(page, url + LINK)
    assert page.locator(f"{MAIN} canvas, {MAIN} [data-testid='stMetric']").count() == 0
    sign_in(page, url + LINK, "Kim")
    sidebar = page.locator('[data-testid="stSidebar"]')
    expect(sidebar).to_contain_text("Signed in as Kim Larsen (admin)", timeout=WAIT_MS)
    assert page.url == url + LINK
    expect(page.get_by_role("button", name="region: EU-West ✕")).to_be_visible(timeout=WAIT_MS)
    cookies = {c["name"]: c for c in page.context.cookies() if c["name"].startswith("_streamlit_user")}
    assert cookies
    assert {(c["httpOnly"], c["sameSite"]) for c in cookies.values()} == {(True, "Lax")}
    sidebar.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible(timeout=WAIT_MS)
    assert [c["name"] for c in page.context.cookies() if c["name"].startswith("_streamlit_user")] == []


def test_another_roles_page_by_url_shows_whose_it_is(url: str, page: Page) -> None:
    """The board signs in on a page of IT: a sentence, and nothing of the page."""
    sign_in(page, f"{url}/intake", "Bo")
    expect(page.locator(MAIN)).to_contain_text("This page is for other roles: it, admin. Yours: executive.", timeout=WAIT_MS)
    assert page.locator(f"{MAIN} canvas").count() == 0
    names = page.locator('[data-testid="stSidebarNavLink"]').all_inner_texts()
    assert [n.split("\n")[-1] for n in names] == ["Operations", "Scorecard", "Numbers"]


def test_who_is_in_no_known_group_is_let_in_nowhere(url: str, page: Page) -> None:
    """Everybody of the company has an account."""
    sign_in(page, url, "Eve")
    expect(page.locator(MAIN)).to_contain_text("none of your groups may see Milepost", timeout=WAIT_MS)


def test_a_login_of_yesterday_is_asked_for_again(url: str, page: Page, provider: Provider) -> None:
    """The cookie is good for a month; the login is not."""
    provider.age_s = 13 * 3600
    sign_in(page, url, "Kim")
    expect(page.locator(MAIN)).to_contain_text("your login is older than 12 h", timeout=WAIT_MS)
    provider.age_s = 0


def test_a_token_that_somebody_else_signed_lets_nobody_in(url: str, page: Page, provider: Provider) -> None:
    """Whoever sits between the pages and the provider can write 'admin' into a token, and cannot sign it."""
    ours = provider.signs_with
    provider.forge()
    sign_in(page, url, "Kim")
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible(timeout=WAIT_MS)
    assert [c["name"] for c in page.context.cookies() if c["name"].startswith("_streamlit_user")] == []
    provider.signs_with = ours


@pytest.mark.parametrize(
    "address",
    [
        "", f"exceptions?carrier={quote(hostile.ATTACK)}", f"object?type=shipment&id={quote(hostile.SHIPMENT)}",
        f"failures?interface={quote(hostile.INTERFACE)}", f"traces?trace={hostile.TRACE:032x}",
        f"intake?source={quote(hostile.ATTACK)}&reject={hostile.REJECT}",
    ],
    ids=lambda a: a.partition("?")[0] or "operations",
)  # fmt: skip
def test_html_in_every_text_field_is_text_on_every_page(url: str, admin: Page, address: str) -> None:
    """What a partner writes is shown as he wrote it: no picture, no script, no link, no icon, no bold word of his."""
    page = opened(admin, f"{url}/{address}")
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.pwned") is None
    assert page.evaluate(MADE_OF_TEXT) == []
    assert page.locator('[data-testid="stException"]').count() == 0
    expect(page.locator(MAIN)).to_contain_text("<img src=x", timeout=WAIT_MS)


if __name__ == "__main__":
    main(*sys.argv[1:])
