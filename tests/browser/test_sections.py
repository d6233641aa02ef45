"""The sections of an incident in a real Chromium: by keyboard, on a phone, without scripts, live."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from holdfast.web.app import create_app
from tests.browser.conftest import Opens, axe_finds_nothing
from tests.unit.web.morning import HOSTILE, recovering
from tests.unit.web.night import Night

pytestmark = pytest.mark.browser
SECTIONS = ("investigation", "plays", "claims", "updates", "recovery", "review")


@contextmanager
def serving(night: Night, name: str) -> Iterator[str]:
    """The night on a free loopback port, everybody who asks being one person; yields the incident's address."""
    site = create_app(night.app)
    site.state.local_viewer = night.who(name)
    config = uvicorn.Config(site, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1, ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started and thread.is_alive():
        thread.join(0.02)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/incidents/{night.incident}"
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    found = recovering(tmp_path_factory.mktemp("sections"))
    found.moves = False
    found.do("idris.okoro", "claim-state", text=HOSTILE)
    found.do("idris.okoro", "question-unknown", question="I3", reason=HOSTILE)
    return found


@pytest.fixture(scope="module")
def lead(night: Night) -> Iterator[str]:
    with serving(night, "idris.okoro") as address:
        yield address


@pytest.fixture(scope="module")
def commander(night: Night) -> Iterator[str]:
    with serving(night, "mara.lind") as address:
        yield address


def go(page: Page, address: str) -> Page:
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return page


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(("width", "scheme"), [(1500, "dark"), (1500, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_runs_off_the_side(
    opened: Opens, lead: str, section: str, width: int, scheme: str
) -> None:
    page = go(opened(viewport={"width": width, "height": 900}, color_scheme=scheme), f"{lead}/{section}")
    axe_finds_nothing(page)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    axe_finds_nothing(page)


def test_a_part_is_settled_by_keyboard_alone_and_shows_at_once(opened: Opens, lead: str) -> None:
    page = go(opened(), f"{lead}/investigation")
    summary = page.locator("#act-f-question-settle-I2-humans > summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#act-f-question-settle-I2-humans")).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "cites":
        page.keyboard.press("Tab")
    page.keyboard.type("ev-1")
    page.keyboard.press("Control+Enter")
    line = page.locator("#question-I2 .pieces > li").first
    expect(line).to_contain_text("done")
    expect(line).to_contain_text("ev-1")
    expect(page.locator("#overview")).to_contain_text("1 of 6 parts done")


def test_a_refusal_says_why_beside_the_form_and_keeps_the_words(opened: Opens, lead: str) -> None:
    page = go(opened(), f"{lead}/investigation")
    page.click("#act-f-question-settle-I4-read > summary")
    form = page.locator("#f-question-settle-I4-read")
    form.locator('input[value="unknown"]').check()
    form.locator("button.primary").click()
    expect(form.locator(".notice")).to_contain_text("needs a reason")
    expect(form.locator('input[value="unknown"]')).to_be_checked()


def test_two_people_see_each_others_marks_without_reloading(opened: Opens, lead: str, night: Night) -> None:
    page = go(opened(), f"{lead}/claims")
    night.do("idris.okoro", "claim-mark", claim="claim-5", cite="ev-1", consistency="inconsistent", note="Seen live")
    expect(page.locator("#matrix")).to_contain_text("Seen live")


def test_hostile_words_run_nothing(opened: Opens, lead: str) -> None:
    for section in ("claims", "investigation"):
        page = opened()
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        go(page, f"{lead}/{section}")
        expect(page.locator("main")).to_contain_text("<script>alert(1)</script>")
        assert page.locator("main script, main img").count() == 0


def test_the_text_that_is_copied_is_the_text_that_was_approved(browser: Browser, commander: str, night: Night) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = go(context.new_page(), f"{commander}/updates")
    # The browser gives the clipboard to a page in front only, and on a busy machine that takes its time.
    page.bring_to_front()
    page.wait_for_function("document.hasFocus()")
    page.click('[data-copy-text="text-update-1"]')
    expect(page.locator('[data-copied-text="text-update-1"]')).to_have_text("copied, byte for byte", timeout=20_000)
    update = night.app.incident(night.incident, night.who("mara.lind")).communications.updates["update-1"]
    stored = night.app.texts.read([update.text.text_id])[update.text.text_id]
    assert page.evaluate("navigator.clipboard.readText()") == stored
    context.close()


def test_a_draft_comes_back_on_its_own_page_ready_to_be_approved(opened: Opens, commander: str) -> None:
    page = go(opened(), f"{commander}/updates")
    page.click("#draft-responders > details > summary")
    page.click("#f-update-draft-responders button.primary")
    expect(page.locator("#update-4 pre")).to_contain_text("Incident: AWS key of payments is public")
    expect(page.locator("#update-4")).to_contain_text("waits for")


def test_everything_reads_and_a_gate_is_supplied_without_scripts(browser: Browser, lead: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for section in SECTIONS:
        page.goto(f"{lead}/{section}")
        expect(page.locator("main h2").first).to_be_visible()
    assert page.locator("svg.spans").is_visible()
    page.goto(f"{lead}/recovery#gate-X4")
    page.click("#act-f-revalidate-settle-images > summary")
    page.locator('#f-revalidate-settle-images input[value="not_applicable"]').check()
    page.fill("#f-revalidate-settle-images-reason", "No image is built here.")
    page.click("#f-revalidate-settle-images button.primary")
    expect(page.locator("#gate-X4")).to_contain_text("No image is built here.")
    context.close()


def test_on_a_phone_every_step_and_its_button_is_within_reach(opened: Opens, lead: str) -> None:
    page = go(opened(viewport={"width": 390, "height": 844}), f"{lead}/plays")
    page.click('.track a[href="#play-1-LS3"]')
    expect(page.locator("#play-1-LS3")).to_be_in_viewport()
    box = page.locator("#act-f-step-settle-play-1-LS3-result > summary").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["height"] >= 24
