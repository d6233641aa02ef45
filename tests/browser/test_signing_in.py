"""First run, signing in with code and passkey, the list, declaring, accounts: in a real browser."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import PHONE, Opens, Served, axe_finds_nothing

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery staple"
SHOTS = os.environ.get("HOLDFAST_SCREENSHOTS")


def shot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for pictures."""
    if SHOTS:
        page.wait_for_timeout(200)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def code_of(page: Page, at: int = 0) -> str:
    """The code an authenticator shows for the seed on the page; ``at`` is how many time steps ahead."""
    seed = page.locator("#seed").inner_text().replace(" ", "")
    totp = pyotp.TOTP(seed)
    return totp.at(for_time=0, counter_offset=_step() + at)


def _step() -> int:
    return int(time.time()) // 30


def first_run(page: Page, server: Served, *, scripts: bool = True) -> str:
    """Make the first administrator; the seed of the authenticator."""
    link = server.app.first_run_link()
    assert link is not None
    if scripts:
        page.goto(f"{server.url}/welcome#{link}")
    else:
        page.goto(f"{server.url}/welcome")
        page.get_by_label("One-time link").fill(f"{server.url}/welcome#{link}")
        page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Account name")).to_be_visible()
    assert link not in page.url
    page.get_by_label("Account name").fill("mara.lind")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    seed = page.locator("#seed").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(code_of(page))
    page.get_by_role("button", name="Finish and sign in").click()
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
    return seed


def authenticator(page: Page) -> CDPSession:
    """A device that holds passkeys and always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session


def test_the_first_administrator_enrols_signs_out_and_signs_in_again(server: Served, opened: Opens) -> None:
    page = opened()
    seed = first_run(page, server)
    account = server.app.states.installation().accounts["mara.lind"]
    assert account.enrolled == {"password", "totp"}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    page.goto(f"{server.url}/security")
    page.get_by_label("Account").fill("mara.lind")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(pyotp.TOTP(seed).at(for_time=0, counter_offset=_step() + 1))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="How you sign in")).to_be_visible()


def test_a_link_works_once_and_only_when_the_account_is_made(server: Served, opened: Opens) -> None:
    link = server.app.first_run_link()
    page, other = opened(), opened()
    for one in (page, other):
        one.goto(f"{server.url}/welcome#{link}")
        expect(one.get_by_label("Account name")).to_be_visible()
    seed_text = page.locator("#seed").inner_text()
    page.reload()
    assert page.locator("#seed").inner_text() == seed_text
    page.get_by_label("Account name").fill("mara.lind")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Finish and sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("not enrolled")
    assert page.get_by_label("Account name").input_value() == "mara.lind"
    assert server.app.states.installation().accounts == {}
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(code_of(page))
    page.get_by_role("button", name="Finish and sign in").click()
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()

    other.get_by_label("Account name").fill("eve")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_label("Password, once more").fill(PASSWORD)
    other.get_by_label("Code", exact=True).fill(code_of(other))
    other.get_by_role("button", name="Finish and sign in").click()
    expect(other.get_by_role("alert").first).to_contain_text("This sign-in link does not work")
    assert set(server.app.states.installation().accounts) == {"mara.lind"}


def test_a_passkey_makes_the_account_and_signs_in_again(server: Served, opened: Opens) -> None:
    link = server.app.first_run_link()
    page = opened()
    authenticator(page)
    page.goto(f"{server.url}/welcome#{link}")
    page.get_by_label("Account name").fill("mara.lind")
    page.get_by_role("button", name="Make a passkey and sign in").click()
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
    assert server.app.states.installation().accounts["mara.lind"].enrolled == {"passkey"}
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
    page.goto(f"{server.url}/security")
    expect(page.locator("dl")).to_contain_text("by passkey")


def test_a_second_passkey_is_added_by_somebody_who_has_just_signed_in(server: Served, opened: Opens) -> None:
    server.person("mara.lind")
    page = opened()
    authenticator(page)
    server.enter(page.context, "mara.lind")
    page.goto(f"{server.url}/security")
    page.get_by_label("Name of the device").fill("work laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys")).to_contain_text("work laptop")
    assert "passkey" in server.app.states.installation().accounts["mara.lind"].enrolled


def test_everything_works_without_scripts(server: Served, opened: Opens) -> None:
    page = opened(java_script_enabled=False)
    first_run(page, server, scripts=False)
    expect(page.get_by_text("No incident is open.")).to_be_visible()
    page.get_by_role("link", name="Declare", exact=True).first.click()
    page.get_by_label("What happened, in one line").fill("AWS key of payments is public")
    page.get_by_role("button", name="Declare").click()
    page.wait_for_url("**/incidents/INC-*")
    page.goto(f"{server.url}/incidents")
    expect(page.get_by_role("link", name="AWS key of payments is public")).to_be_visible()
    page.goto(f"{server.url}/security")
    page.locator("summary", has_text="Issue a token").click()
    page.get_by_label("Label").fill("laptop")
    page.get_by_role("button", name="Issue a token").click()
    value = page.get_by_label("API token, complete").input_value()
    assert value.startswith("hf_token_")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("This was shown already")


def test_declaring_needs_one_line_and_keys_only(server: Served, opened: Opens) -> None:
    server.person("mara.lind")
    page = opened()
    server.enter(page.context, "mara.lind")
    page.goto(f"{server.url}/")
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/declare")
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "name":
        page.keyboard.press("Tab")
    page.keyboard.type("AWS key of payments is public")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/incidents/INC-*")
    state = server.app.states.incident(page.url.rpartition("/")[2])
    assert state.incidents.declared
    assert state.incidents.impact["privileged_access"].answer == "unknown"


def test_the_list_shows_at_once_what_somebody_else_declares(server: Served, opened: Opens) -> None:
    viewer = server.person("mara.lind")
    page = opened()
    server.enter(page.context, "mara.lind")
    page.goto(f"{server.url}/incidents")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    server.app.execute("declare", {"name": "Token of the deploy job leaked"}, viewer)
    expect(page.get_by_role("link", name="Token of the deploy job leaked")).to_be_visible()


def test_an_administrator_adds_somebody_and_hands_over_a_link_that_works(server: Served, opened: Opens) -> None:
    server.person("mara.lind")
    page = opened()
    server.enter(page.context, "mara.lind")
    page.goto(f"{server.url}/accounts")
    page.wait_for_selector("html[data-ready]")
    page.locator("summary", has_text="Add an account").click()
    page.get_by_label("Account", exact=True).fill("ben.ode")
    page.get_by_role("checkbox", name="Technical lead").check()
    page.get_by_role("button", name="Add an account").click()
    link = page.get_by_label("One-time sign-in link, complete").input_value()
    shot(page, "once")
    axe_finds_nothing(page)
    theirs = opened()
    theirs.goto(link)
    expect(theirs.get_by_role("heading", name="Welcome, ben.ode")).to_be_visible()
    theirs.get_by_label("Password", exact=True).fill(PASSWORD)
    theirs.get_by_label("Password, once more").fill(PASSWORD)
    theirs.get_by_label("Code", exact=True).fill(code_of(theirs))
    theirs.get_by_role("button", name="Finish and sign in").click()
    expect(theirs.get_by_role("heading", name="Incidents")).to_be_visible()
    theirs.goto(f"{server.url}/accounts/ben.ode")
    expect(theirs.locator("#account")).to_contain_text("technical lead")
    expect(theirs.locator("#acts")).to_have_count(0)


@pytest.mark.parametrize(
    ("look", "scheme", "size"),
    [("dark", "dark", None), ("light", "light", None), ("phone", "light", PHONE)],
)
def test_axe_finds_nothing(server: Served, opened: Opens, look: str, scheme: str, size: dict[str, int] | None) -> None:
    viewer = server.person("mara.lind")
    server.person("ben.ode", "responder", qualified=("technical_lead",))
    server.person("rota", "observer")
    for name, said in (
        ("AWS key of payments is public", {"play": "leaked-secret"}),
        ("Deploy token used from an unknown address", {"customer_data": "confirmed"}),
        ("Practice: cloud root misused", {"kind": "exercise"}),
        ("An employee's laptop", {"sensitivity": "restricted", "codename": "GREY HERON"}),
    ):
        server.app.execute("declare", {"name": name, **said}, viewer)
    options = {"color_scheme": scheme} | ({"viewport": size} if size else {})
    page = opened(**options)
    link = server.app.execute("account-invite", {"account": "ben.ode"}, viewer).once["invitation"]
    for path, name in (("/sign-in", "sign-in"), ("/welcome", "link"), (f"/welcome#{link}", "welcome")):
        page.goto(server.url + path)
        page.wait_for_selector("html[data-ready]")
        page.wait_for_timeout(100)
        axe_finds_nothing(page)
        shot(page, f"{name}-{look}")
    server.enter(page.context, "mara.lind")
    for path, name in (
        ("/incidents", "incidents"),
        ("/declare", "declare"),
        ("/security", "security"),
        ("/accounts", "accounts"),
        ("/accounts/ben.ode", "account"),
        ("/log", "log"),
        ("/incidents?status=closed", "empty"),
        ("/incidents/INC-2026-9999", "error"),
        ("/incidents/INC-2026-0001/do/claim-state", "form"),
    ):
        page.goto(server.url + path)
        page.wait_for_selector("html[data-ready]")
        if name == "declare":
            shot(page, f"declare-calm-{look}")
            for fold in page.locator("form details > summary").all():
                fold.click()
        axe_finds_nothing(page)
        shot(page, f"{name}-{look}")
