from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.gallery import Gallery, serving

pytestmark = pytest.mark.browser
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1500, "height": 1000}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
    yield found
    found.close()


@pytest.fixture
def gallery() -> Gallery:
    return Gallery()


@pytest.fixture
def address(gallery: Gallery) -> Iterator[str]:
    with serving(gallery) as url:
        yield url + "/gallery"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]  # a plain dict is accepted
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    ready(opened, address)
    yield opened
    context.close()
    assert wrong == []


def ready(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1000, 1600])
def test_axe_finds_nothing_and_nothing_runs_off_the_side(
    browser: Browser, address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for kind in ("", "?kind=vacant", "?kind=exercise", "?kind=restricted"):
        ready(page, address + kind)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()


def test_the_page_reads_and_sends_without_scripts(browser: Browser, address: str, gallery: Gallery) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert "overdue by 2 min 10 s" in page.inner_text("#mine")
    assert page.locator(".bar button:visible").all_inner_texts() == ["Sign out"]
    page.fill("#f-declare-title", "no scripts")
    for name in ("customer_data", "production", "access"):
        page.check(f'input[name="answers.{name}"][value="unknown"]')
    page.click("#f-declare button.primary")
    expect(page.locator("body")).to_contain_text("recorded")
    assert [saved["title"] for saved in gallery.saved.values()] == ["no scripts"]
    context.close()


def fill(page: Page, title: str) -> None:
    page.fill("#f-declare-title", title)
    for name in ("customer_data", "production", "access"):
        page.check(f'input[name="answers.{name}"][value="unknown"]')


def test_a_write_says_when_it_is_durable(page: Page, gallery: Gallery) -> None:
    fill(page, "key is public")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#f-declare [data-form-state]")).to_have_text("saved at 03:14:07 (durable)")
    assert page.input_value("#f-declare-title") == ""
    assert len(gallery.saved) == 1


def test_a_lost_answer_is_asked_for_again_and_nothing_doubles(page: Page, gallery: Gallery) -> None:
    gallery.lose = 1
    fill(page, "sent over a bad line")
    page.click("#f-declare button.primary")
    state = page.locator("#f-declare [data-form-state]")
    expect(state).to_contain_text("Your text is kept here")
    expect(state).to_have_text("was already saved at 03:14:07 (durable)", timeout=5000)
    assert gallery.posts == 2
    assert len(gallery.saved) == 1


def test_while_offline_a_write_waits_and_says_so(page: Page, gallery: Gallery) -> None:
    fill(page, "from the train")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    page.click("#f-declare button.primary")
    expect(page.locator("#f-declare [data-form-state]")).to_contain_text("No answer yet")
    assert gallery.posts == 0
    page.context.set_offline(False)
    expect(page.locator("#f-declare [data-form-state]")).to_contain_text("(durable)", timeout=8000)
    assert [saved["title"] for saved in gallery.saved.values()] == ["from the train"]


def test_a_refusal_stands_beside_its_field_and_keeps_the_text(page: Page) -> None:
    fill(page, "x")
    page.fill("#f-declare-cites", "exhibit nine")
    page.click("#f-declare button.primary")
    expect(page.locator("#f-declare .notice-what")).to_have_text("Nothing was recorded yet.")
    expect(page.locator("#f-declare-cites")).to_be_focused()
    expect(page.locator("#f-declare-cites")).to_have_attribute("aria-invalid", "true")
    assert page.input_value("#f-declare-cites") == "exhibit nine"
    assert Axe().run(page).violations_count == 0


def test_a_lost_race_shows_both_texts(page: Page, gallery: Gallery) -> None:
    gallery.conflict = True
    fill(page, "mine, typed long")
    page.click("#f-declare button.primary")
    both = page.locator("#f-declare .conflict .both")
    expect(both).to_contain_text("Theirs stands.")
    expect(both).to_contain_text("mine, typed long")
    assert page.input_value("#f-declare-title") == "mine, typed long"
    page.click("#f-declare button.primary")
    expect(page.locator("#f-declare [data-form-state]")).to_contain_text("(durable)")
    assert next(iter(gallery.saved.values()))["saw"] == "9"


def test_what_others_change_appears_and_typing_is_never_touched(page: Page, gallery: Gallery) -> None:
    page.click("#tasks summary")
    page.fill("#f-task-claim-note", "half a sen")
    gallery.change("noor.haddad")
    expect(page.locator("#row-F4")).to_contain_text("noor.haddad")
    assert page.input_value("#f-task-claim-note") == "half a sen"
    expect(page.locator("#f-task-claim-note")).to_be_focused()
    expect(page.locator("#act-f-task-claim")).to_have_attribute("open", "")


def test_unsent_text_survives_a_reload_and_can_be_discarded(page: Page, address: str) -> None:
    page.fill("#f-declare-report", "typed before the crash")
    ready(page, address)
    assert page.input_value("#f-declare-report") == "typed before the crash"
    page.click("text=discard it")
    ready(page, address)
    assert page.input_value("#f-declare-report") == ""


def test_many_tabs_share_one_stream(page: Page, address: str, gallery: Gallery) -> None:
    others = [page.context.new_page() for _ in range(3)]
    for other in others:
        ready(other, address)
    assert gallery.streams == 1
    gallery.change("noor.haddad")
    for tab in (page, *others):
        tab.bring_to_front()
        expect(tab.locator("#row-F4")).to_contain_text("noor.haddad")


def test_clocks_tick_in_words(page: Page) -> None:
    clock = page.locator("#board .clock-time")
    before = clock.inner_text()
    assert re.fullmatch(r"\d+ min \d\d s left", before)
    expect(clock).not_to_have_text(before, timeout=3000)


def test_the_script_says_durations_as_the_server_does(page: Page) -> None:
    from holdfast.web.rendering import duration

    address = page.evaluate("document.querySelector('script[type=module]').src.replace('holdfast.js', 'js/clocks.js')")
    for seconds in (0, 59, 60, 187, 599, 600, 3599, 3600, 172799, 172800, 999999):
        for short in (False, True):
            said = page.evaluate(f"import('{address}').then((m) => m.duration({seconds}, {str(short).lower()}))")
            assert said == duration(seconds, short=short)


def test_everything_is_a_key_away(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText").startswith("Export the audit log")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.innerText").startswith("Ask payments")
    page.keyboard.press("c")
    expect(page.locator("#f-task-claim-note")).to_be_focused()
    page.keyboard.type("?j/")
    assert page.input_value("#f-task-claim-note") == "?j/"
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(page.locator("#f-declare-title")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("go to Timeline")
    assert Axe().run(page).violations_count == 0


def test_the_palette_finds_by_letters_and_leaves_the_clock_in_sight(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("clatas")
    box = page.get_by_role("combobox", name="Command or section")
    expect(box).to_be_focused()
    expect(page.locator(".overlay [aria-selected=true]")).to_contain_text("Claim a task")
    line, panel = page.locator(".topline").bounding_box(), page.locator(".overlay").bounding_box()
    assert line is not None
    assert panel is not None
    assert panel["y"] >= line["y"] + line["height"]
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Enter")
    expect(page.locator("#f-task-claim-note")).to_be_focused()
    expect(page.locator(".overlay")).to_have_count(0)


def test_single_keys_can_be_switched_off(page: Page) -> None:
    page.keyboard.press("?")
    page.uncheck(".overlay input[type=checkbox]")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.locator("#f-task-claim-note")).not_to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator(".overlay")).to_be_visible()


def test_g_and_a_letter_go_to_a_section(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/timeline")


def test_a_pasted_screenshot_goes_into_the_evidence_form(page: Page) -> None:
    page.evaluate(
        """() => { const data = new DataTransfer(); data.items.add(new File(["x"], "image.png", {type: "image/png"}));
        document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true})); }"""
    )
    expect(page.locator(".drop-shown")).to_contain_text(re.compile(r"screenshot-\d{8}T\d{6}Z\.png"))
    expect(page.locator("#title")).to_be_focused()
    assert page.evaluate("document.getElementById('file').files.length") == 1


def test_the_chosen_theme_stays(page: Page, address: str) -> None:
    page.click('[data-action="theme"]')
    ready(page, address)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_without_shared_workers_one_tab_reads_for_all(browser: Browser, address: str, gallery: Gallery) -> None:
    context = browser.new_context()
    context.add_init_script("delete window.SharedWorker")
    tabs = [context.new_page() for _ in range(3)]
    for tab in tabs:
        ready(tab, address)
    assert gallery.streams == 1
    gallery.change("noor.haddad")
    for tab in tabs:
        tab.bring_to_front()
        expect(tab.locator("#row-F4")).to_contain_text("noor.haddad")
    tabs[0].close()
    gallery.change("idris.okoro")
    expect(tabs[2].locator("#row-F4")).to_contain_text("idris.okoro", timeout=8000)
    context.close()


def test_two_people_in_one_form_see_each_other(page: Page, gallery: Gallery) -> None:
    with page.expect_response("**/presence"):
        page.fill("#f-declare-title", "a")
    assert gallery.editing == ["declare"]
    people = [{"account": "mara.lind", "editing": "declare"}, {"account": "noor.haddad", "editing": "declare"}]
    gallery.tell("presence", {"people": people})
    expect(page.locator("#f-declare [data-presence]")).to_have_text("noor.haddad is editing this too")


def test_a_secret_taken_out_of_the_text_is_told_to_its_author(page: Page) -> None:
    answer = {"notices": [{"field": "title", "rule": "aws-key", "fingerprint": "ab12"}], "replayed": False}
    page.route("**/do/declare", lambda route: route.fulfill(json=answer))
    fill(page, "AKIA")
    page.click("#f-declare button.primary")
    expect(page.locator("#f-declare .notice")).to_contain_text("aws-key in title (fingerprint ab12)")
