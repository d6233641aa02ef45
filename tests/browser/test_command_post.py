"""The command post and its sections in a real browser: live for two people, by keyboard, on a phone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Opens, Served, axe_finds_nothing

pytestmark = pytest.mark.browser
SECTIONS = ("", "/board", "/freeze", "/timeline", "/room", "/evidence", "/evidence/ev-1", "/people")
SHOTS = os.environ.get("HOLDFAST_SCREENSHOTS")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


class Incident:
    """An incident on a served installation, and what its people do outside the browser."""

    def __init__(self, server: Served) -> None:
        """Three people and a declaration."""
        self.server = server
        server.person("ines.admin")
        qualified = ("commander", "technical_lead", "business_owner")
        for name in ("mara.lind", "idris.okoro", "tomas.vega"):
            server.person(name, qualified=qualified)
        self.id = ""
        declared = self.run(
            "mara.lind", "declare", name="AWS key of payments is public", answers=["production_secret=confirmed"],
            reported_by="Code host alert: an AWS key in the public repository payments-infra.", play="leaked-secret",
        )  # fmt: skip  # one command
        self.id = declared.incident_id

    def run(self, by: str, use_case: str, **fields: Any) -> Any:
        """A command of one person."""
        viewer = self.server.person(by)
        return self.server.app.execute(use_case, fields, viewer, incident_id=self.id or None)

    def collect(self, by: str, name: str, content: bytes, **fields: Any) -> None:
        """Evidence."""
        sha256, size = self.server.app.upload(self.id, self.server.person(by), BytesIO(content))
        self.run(by, "evidence-add", sha256=sha256, size=size, kind="log", name=name, **fields)

    def url(self, path: str = "") -> str:
        """The address of one of its pages."""
        return f"{self.server.url}/incidents/{self.id}{path}"

    def open(self, opened: Opens, name: str, path: str = "", *, live: bool = True, **options: Any) -> Page:
        """A page in a browser of one person."""
        page = opened(**options)
        self.server.enter(page.context, name)
        page.goto(self.url(path), wait_until="domcontentloaded")
        if live:
            page.wait_for_selector("html[data-ready]")
            expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        return page

    def goes_on(self) -> None:
        """What happens in the first minutes."""
        now = datetime.now(UTC)
        self.run("mara.lind", "command-take")
        self.run("mara.lind", "role-assign", role="technical_lead", account="idris.okoro")
        self.run("mara.lind", "role-assign", role="business_owner", account="tomas.vega")
        self.run("mara.lind", "board-claim", line="F1")
        self.run("idris.okoro", "board-claim", line="F5")
        self.run("mara.lind", "board-assign", line="F2", owner="tomas.vega")
        self.run(
            "mara.lind",
            "freeze-order",
            scopes=["prod"],
            expires_at=now + timedelta(hours=4),
            reason="Contain first",
            ask="mara.lind",
        )
        self.collect("idris.okoro", "cloudtrail-0200-0310.json", b'{"Records": []}' * 9, source="cloud_audit_events")
        self.run("idris.okoro", "board-settle", line="F5", part="cloud_audit_events", cites=["ev-1"])
        self.run(
            "idris.okoro", "message-post", text="The key was used from an address we have never seen: ev-1. @mara.lind"
        )
        text = "The key read 312 objects of one bucket between 02:51 and 03:05 UTC."
        self.run("idris.okoro", "claim-state", kind="scope", text=text)
        self.run("idris.okoro", "claim-confirm", claim="claim-1", cites=["ev-1"])
        self.run(
            "idris.okoro", "claim-state", kind="actor", text="The attacker made a key for the user backup to stay."
        )
        reason = "Reads of objects before 02:30 cannot be told: data events were off."
        self.run("idris.okoro", "question-settle", question="I6", standing="unknown", reason=reason)
        early = now - timedelta(minutes=47)
        self.run(
            "idris.okoro",
            "timeline-add",
            text="First use of the key",
            occurred_at=early,
            basis="evidenced",
            source="CloudTrail",
            cites=["ev-1"],
        )
        self.run(
            "mara.lind",
            "task-assign",
            owner="mara.lind",
            action="Tell the duty executive",
            due=now + timedelta(minutes=9),
        )
        self.run("idris.okoro", "severity-answer", answers=["attacker_in_production=confirmed"])


@pytest.fixture
def incident(server: Served) -> Incident:
    return Incident(server)


def shot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for pictures."""
    if SHOTS:
        page.wait_for_timeout(300)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def test_two_people_see_each_others_message_and_severity_at_once(incident: Incident, opened: Opens) -> None:
    incident.goes_on()
    mara = incident.open(opened, "mara.lind")
    idris = incident.open(opened, "idris.okoro", "/room")
    expect(mara.locator("#topline .badge")).to_contain_text("SEV-2")
    idris.keyboard.press("m")
    idris.keyboard.type("It made a key for backup. <b>Look</b> at ev-1")
    idris.keyboard.press("Control+Enter")
    expect(mara.locator("#recent")).to_contain_text("It made a key for backup. <b>Look</b> at ev-1")
    mara.keyboard.press("a")
    expect(idris.locator("#topline .badge")).to_contain_text("SEV-1")
    expect(mara.locator("#proposed")).to_have_count(0)
    expect(mara.locator("#topline .badge")).to_contain_text("SEV-1")


def test_what_somebody_types_survives_what_others_do(incident: Incident, opened: Opens) -> None:
    page = incident.open(opened, "mara.lind", "/room")
    box = page.get_by_label("Message", exact=True)
    box.fill("Half a sentence, not sent")
    incident.run("idris.okoro", "message-post", text="Meanwhile somebody else writes")
    expect(page.locator("#messages")).to_contain_text("Meanwhile somebody else writes")
    expect(box).to_have_value("Half a sentence, not sent")
    page.reload()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Half a sentence, not sent")


def test_command_is_taken_by_keyboard_and_the_page_follows(incident: Incident, opened: Opens) -> None:
    page = incident.open(opened, "mara.lind")
    expect(page.locator("#topline")).to_contain_text("acting")
    page.keyboard.press("i")
    expect(page.get_by_role("button", name="I command").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#topline")).not_to_contain_text("acting")
    expect(page.locator("#mine")).not_to_contain_text("Only saying it stops the clock")


def test_a_screenshot_is_dropped_into_evidence(incident: Incident, opened: Opens) -> None:
    page = incident.open(opened, "mara.lind", "/evidence")
    page.locator("#file").set_input_files({"name": "console.png", "mimeType": "image/png", "buffer": PNG})
    expect(page.locator(".drop-shown")).to_contain_text("console.png")
    page.get_by_role("button", name="Store it").click()
    expect(page.locator("#items")).to_contain_text("console.png")
    page.get_by_role("link", name="ev-1").first.click()
    page.get_by_role("link", name="Show it here").click()
    picture = page.locator(".evidence-picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    expect(page.locator("#trail")).to_contain_text("viewed ev-1")


def test_a_part_of_the_board_is_settled_in_place(incident: Incident, opened: Opens) -> None:
    page = incident.open(opened, "idris.okoro", "/board")
    part = page.locator("#part-F5-ci_logs")
    part.locator("summary").click()
    part.get_by_label("unreachable").check()
    part.get_by_label("Reason").fill("The CI keeps no logs older than a day.")
    part.get_by_role("button", name="Settle").click()
    expect(page.locator("#part-F5-ci_logs")).to_contain_text("The CI keeps no logs older than a day.")


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("dark", {"width": 1680, "height": 1050}), ("light", {"width": 1680, "height": 1050}), ("light", PHONE)],
)
def test_axe_finds_nothing_on_any_page(incident: Incident, opened: Opens, scheme: str, size: dict[str, int]) -> None:
    incident.goes_on()
    page = incident.open(opened, "mara.lind", color_scheme=scheme, viewport=size)
    for path in SECTIONS:
        page.goto(incident.url(path))
        page.wait_for_selector("html[data-ready]")
        shot(page, f"post-{scheme}-{size['width']}{path.replace('/', '-')}")
        page.evaluate("document.querySelectorAll('main details').forEach((details) => { details.open = true; })")
        axe_finds_nothing(page)


def test_everything_reads_and_acts_without_scripts(incident: Incident, opened: Opens) -> None:
    incident.goes_on()
    page = incident.open(opened, "mara.lind", live=False, java_script_enabled=False)
    expect(page.locator("#topline")).to_contain_text("AWS key of payments is public")
    page.get_by_role("button", name="Agree: SEV-1").click()
    expect(page.locator("#topline .badge")).to_contain_text("SEV-1")
    page.goto(incident.url("/room"))
    page.get_by_label("Message", exact=True).fill("Sent without a script")
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("#messages")).to_contain_text("Sent without a script")
    page.goto(incident.url("/timeline"))
    page.get_by_label("Words").fill("without a script")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#spine .timeline > li[id]")).to_have_count(1)
