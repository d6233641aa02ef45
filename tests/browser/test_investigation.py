"""The investigation in a real Chromium: run and confirmed by keyboard, on a phone, in the dark, without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from holdfast.app.inquiries import Wanted
from holdfast.web.app import create_app
from tests.browser.conftest import PHONE, Opens, axe_finds_nothing
from tests.house import House, open_house
from tests.unit.app.test_inquiries import KEY, record, trail

pytestmark = pytest.mark.browser
PATHS = ("investigation", "investigation/timeline", "sql", "sql?saved=credential_timeline")


@contextmanager
def serving(house: House) -> Iterator[str]:
    """The house on a free loopback port, everybody who asks being ada."""
    site = create_app(house.app)
    site.state.local_viewer = house.viewer("ada")
    config = uvicorn.Config(site, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1, ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started and thread.is_alive():
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}/incidents"
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("inquiry")) as found:
        yield found


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    with serving(house) as address:
        yield address


def captured(house: House) -> str:
    """An incident with a captured trail."""
    incident = house.commanded()
    house.collect(incident, body=trail(record(1, "CreateAccessKey"), record(2, "ListUsers"), record(3, "DeleteTrail")))
    return incident


@pytest.fixture(scope="module")
def investigated(house: House, url: str) -> str:
    """Address of an incident that was investigated."""
    incident = captured(house)
    house.app.investigations().run(incident, house.viewer("ada"), Wanted(subjects=(KEY,)))
    return f"{url}/{incident}"


def go(page: Page, address: str) -> Page:
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_nothing_and_nothing_runs_off_the_side(
    opened: Opens, investigated: str, path: str, width: int, scheme: str
) -> None:
    page = go(opened(viewport={"width": width, "height": 900}, color_scheme=scheme), f"{investigated}/{path}")
    axe_finds_nothing(page)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    axe_finds_nothing(page)


def test_an_investigation_is_run_and_its_answer_confirmed_by_keyboard_alone(
    opened: Opens, house: House, url: str
) -> None:
    page = go(opened(), f"{url}/{captured(house)}/investigation")
    page.locator("#inquiry details.act > summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(KEY)
    while page.evaluate("document.activeElement.textContent") != "Investigate":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(60):
        if page.locator("#told-I5").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.wait_for_selector("html[data-ready]")
    page.locator("#told-I5 details.act > summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#question-I5 > header")).to_contain_text("answered")
    expect(page.locator("#question-I5 .claim")).to_contain_text("as the evidence says above")


def test_a_question_in_sql_is_asked_by_keyboard_alone(opened: Opens, investigated: str) -> None:
    page = go(opened(), f"{investigated}/sql")
    page.locator("#sql").focus()
    page.keyboard.type("SELECT operation FROM activity ORDER BY row_id")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#answer table")).to_contain_text("CreateAccessKey")
    axe_finds_nothing(page)


def test_a_picture_keeps_its_letters_readable_on_a_phone_and_scrolls_in_its_own_box(
    opened: Opens, investigated: str
) -> None:
    page = go(opened(viewport=PHONE), f"{investigated}/investigation/timeline")
    sizes = page.evaluate(
        "(() => { const box = document.querySelector('.picture .scroll');"
        " return [box.clientWidth, box.querySelector('svg').getBoundingClientRect().width]; })()"
    )
    assert sizes[0] <= PHONE["width"]
    assert sizes[1] >= 900


def test_everything_reads_and_is_asked_without_scripts(browser: Browser, investigated: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in PATHS:
        page.goto(f"{investigated}/{path}")
        expect(page.locator("main h2").first).to_be_visible()
    page.fill("#p-credential", KEY)
    page.click("#ask button.primary")
    expect(page.locator("#answer")).to_contain_text("3 rows")
    page.goto(f"{investigated}/investigation/timeline")
    page.check('#merged-filter input[value="incident"]')
    page.click("#merged-filter button.primary")
    expect(page.locator("#entries")).not_to_contain_text("aws.cloudtrail")
    expect(page.locator("#merged")).to_contain_text("Gaps are filtered out")
    context.close()
