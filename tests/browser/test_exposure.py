"""The Exposure page in a real Chromium: by keyboard, on a phone, in the dark, without scripts, held to axe."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Opens, axe_finds_nothing
from tests.browser.test_investigation import go, serving
from tests.house import House, open_house
from tests.unit.app.plain_search import plain_means
from tests.unit.exposure import world

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("exposure")
    (folder / "mirrors" / "payments.git").mkdir(parents=True)
    with open_house(folder, HOLDFAST_EXPOSURE_ROOTS=str(folder / "mirrors")) as found:
        found.app.exposure_searches().means = plain_means
        found.app.exposure_searches().shield = lambda _secrets, _spellings: None
        yield found


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    with serving(house) as address:
        yield address


@pytest.fixture(scope="module")
def reported(house: House, url: str) -> str:
    """Address of an incident with a report, a play and something to search in."""
    incident = house.commanded()
    house.collect(incident)
    house.do("ada", "play-start", incident, play="leaked-secret")
    lines = [line.encode() for line in world.REPORT.lines()]
    house.app.exposure_searches().take(incident, house.viewer("ben"), lines)
    return f"{url}/{incident}/exposure"


def found(page: Page) -> None:
    """Wait until the search that runs has ended."""
    for _ in range(60):
        if page.locator(".headline").count():
            return
        page.wait_for_timeout(250)
        page.reload()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_nothing_and_nothing_runs_off_the_side(opened: Opens, reported: str, width: int, scheme: str) -> None:
    page = go(opened(viewport={"width": width, "height": 900}, color_scheme=scheme), reported)
    axe_finds_nothing(page)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    axe_finds_nothing(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_empty_page_teaches_and_axe_finds_nothing(opened: Opens, house: House, url: str, width: int) -> None:
    incident = house.commanded()
    page = go(opened(viewport={"width": width, "height": 900}), f"{url}/{incident}/exposure")
    expect(page.locator(".empty").first).to_contain_text(f"holdfast exposure search --incident {incident} TARGET")
    axe_finds_nothing(page)


def test_a_search_is_started_by_keyboard_alone_and_the_secret_is_nowhere_on_the_page(
    opened: Opens, house: House, url: str
) -> None:
    incident = house.commanded()
    secret = "kq9-" + secrets.token_urlsafe(30)
    house.collect(incident, body=f"a log with {secret}\n".encode())
    page = go(opened(), f"{url}/{incident}/exposure")
    page.keyboard.press("n")
    expect(page.locator("#exposure-secret")).to_be_focused()
    page.keyboard.type(secret)
    page.keyboard.press("Tab")
    page.keyboard.type("test key")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    while page.evaluate("document.activeElement.textContent") != "Search":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exposure#exposure")
    found(page)
    expect(page.locator(".headline")).to_contain_text("In 1 file")
    expect(page.locator("#exposure")).to_contain_text("test key")
    assert secret not in page.content()
    kept = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert secret not in kept


def test_a_typed_secret_is_no_draft_that_comes_back_after_a_reload(opened: Opens, reported: str) -> None:
    page = go(opened(), reported)
    page.fill("#exposure-secret", "kq9-not-yet-sent")
    page.fill("#exposure-label", "a label")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.input_value("#exposure-secret") == ""
    assert "kq9-not-yet-sent" not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")


def test_the_report_is_taken_into_the_play_by_keyboard_alone(opened: Opens, house: House, reported: str) -> None:
    page = go(opened(), reported)
    page.locator("#work details.act > summary").focus()
    page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    page.goto(reported.removesuffix("/exposure") + "/plays")
    step = page.locator("#play-1-LS2")
    expect(step).to_contain_text("Earliest exposure: 2 Nov 2026, 14:03 UTC")
    expect(step).to_contain_text("not searched completely: chat-export.zip: truncated")


def test_places_are_filtered_without_a_script(browser: Browser, reported: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reported)
    page.select_option("#places-still", "unreachable")
    page.click("#places-filter button.primary")
    expect(page.locator("#places tbody tr")).to_have_count(1)
    expect(page.locator("#places tbody")).to_contain_text("notes.txt")
    context.close()


def test_a_search_is_started_without_a_script(browser: Browser, house: House, url: str) -> None:
    incident = house.commanded()
    secret = "kq9-" + secrets.token_urlsafe(30)
    house.collect(incident, body=secret.encode())
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/{incident}/exposure")
    page.fill("#exposure-secret", secret)
    page.check('input[name="items"]')
    page.select_option('select[name="visibility-ev-1"]', "public")
    page.click("#exposure-search button.primary")
    found(page)
    expect(page.locator("#places tbody")).to_contain_text("anybody")
    assert secret not in page.content()
    context.close()


def test_on_a_phone_the_picture_scrolls_in_its_own_box_and_the_list_reads(opened: Opens, reported: str) -> None:
    page = go(opened(viewport=PHONE), reported)
    sizes = page.evaluate(
        "(() => { const box = document.querySelector('#exposure .picture .scroll');"
        " return [box.clientWidth, box.querySelector('svg').getBoundingClientRect().width]; })()"
    )
    assert sizes[0] <= PHONE["width"]
    assert sizes[1] >= 900
    expect(page.locator("#work")).to_contain_text("Revoke or rotate the secret")
