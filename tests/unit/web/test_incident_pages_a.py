"""The command post, board, freeze, timeline, room, evidence and people, as plain pages without scripts."""

from __future__ import annotations

import hashlib
import html
import io
import re
import shutil
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.app.queries import spine
from holdfast.kernel.errors import NotFoundError
from tests.unit.web.night import START, Browser, Night, begun

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> "quoted"'
OVERRIDE = "invoice\u202etxt.exe"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The night as it stands at first, closed, to be copied: building it anew for each test would take a second."""
    made = begun(tmp_path_factory.mktemp("template"))
    made.app.close()
    return made


@pytest.fixture(scope="module")
def quiet(template: Night, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A night nobody changes."""
    yield from copied(template, tmp_path_factory.mktemp("quiet"))


@pytest.fixture
def night(template: Night, tmp_path: Path) -> Iterator[Night]:
    yield from copied(template, tmp_path)


def copied(template: Night, folder: Path) -> Iterator[Night]:
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    made = Night(folder, template.now, incident=template.incident)
    yield made
    made.app.close()


def words_of(page: str) -> str:
    """What a reader without styles sees: text with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def part(page: str, element: str) -> str:
    """The element with this id, up to the next one of the same level: enough to look into."""
    begin = page.index(f'id="{element}"')
    end = page.find('<section class="panel"', begin)
    return page[begin : end if end > 0 else len(page)]


def fields_of(page: str, form: str) -> dict[str, str]:
    """Hidden fields of a form, as a browser would send them."""
    begin = page.index(f'id="{form}"')
    inside = page[begin : page.index("</form>", begin)]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside)
    return {name: html.unescape(value) for name, value in found}


def action_of(page: str, form: str) -> str:
    begin = page.rindex("<form", 0, page.index(f'id="{form}"'))
    found = re.search(r'action="([^"]+)"', page[begin:])
    assert found is not None
    return found[1]


def send(browser: Browser, page: str, form: str, **typed: str) -> int:
    """Fill a form of a page and send it without scripts."""
    answer = browser.post(action_of(page, form), data={**fields_of(page, form), **typed})
    assert answer.status_code in (303, 200), answer.text
    return answer.status_code


@pytest.mark.parametrize(
    "path", ["", "/board", "/freeze", "/timeline", "/room", "/evidence", "/evidence/ev-1", "/people"]
)
def test_every_page_stands_in_the_incidents_frame(quiet: Night, path: str) -> None:
    page = quiet.page("mara.lind", path)
    assert 'id="topline"' in page
    assert page.count('aria-current="page"') == (0 if path == "/freeze" else 1)
    assert "AWS key of payments is public" in page
    for section in ("Post", "Board", "Timeline", "Room", "Evidence", "Investigation", "Plays", "People"):
        assert f">{section}" in page


def test_an_observer_reads_everything_and_is_offered_no_act(quiet: Night) -> None:
    for path in ("", "/board", "/timeline", "/room", "/evidence", "/people", "/freeze"):
        page = quiet.page("ada.ops", path)
        assert "data-command=" not in page, path


def test_the_top_line_alone_is_what_the_page_refreshes(quiet: Night) -> None:
    page = quiet.page("mara.lind", "/topline")
    assert 'id="topline"' in page
    assert "<nav" not in page


def test_the_post_answers_three_questions_at_once(quiet: Night) -> None:
    page = quiet.page("mara.lind")
    said = words_of(page)
    for heading in ("What happens now", "What we know", "What is mine"):
        assert heading in said
    assert "The key read 312 objects" in words_of(part(page, "facts"))
    assert "312 objects" not in words_of(part(page, "hypotheses"))
    assert "hypothesis of idris.okoro" in words_of(part(page, "hypotheses"))
    unknown = words_of(part(page, "not-told"))
    assert "data events were off" in unknown
    assert "The registry needs a login nobody has tonight." in unknown
    assert "Tell the duty executive" in words_of(part(page, "tasks"))
    assert "Leaked production secret" in words_of(part(page, "flights"))


def test_the_tables_proposal_is_agreed_to_with_one_button(night: Night) -> None:
    browser = night.client("mara.lind")
    page = night.page("mara.lind")
    assert "The table now says SEV-1." in words_of(page)
    send(browser, page, "f-severity-raise-agree")
    state = night.app.incident(night.incident, night.who("mara.lind")).incidents
    assert state.level == "SEV-1"
    after = night.page("mara.lind")
    assert "The table now says" not in words_of(after)
    assert 'badge-1">SEV-1' in after


def test_red_says_that_nobody_commands_and_only_that(night: Night) -> None:
    topline = night.page("ada.ops", "/topline")
    assert "alarm" not in topline
    night.do("mara.lind", "command-vacate", reason="I have to leave.")
    night.later(minutes=3)
    vacant = night.page("ada.ops", "/topline")
    assert '<span class="alarm">no commander</span>' in vacant
    assert "nobody for 3 min" in vacant


def test_a_missed_first_update_is_red_and_one_to_come_is_not(night: Night) -> None:
    night.do("mara.lind", "severity-raise", level="SEV-1", reason="The attacker is active.")
    assert "first is due 03:37" in night.page("mara.lind", "/topline")
    night.now = START + timedelta(minutes=31)
    assert '<span class="alarm">none promised</span>' in night.page("mara.lind", "/topline")


def test_what_is_missing_comes_with_the_form_that_supplies_it(night: Night) -> None:
    page = night.page("mara.lind")
    missing = part(page, "missing")
    assert "No communications lead (R3)" in words_of(missing)
    form = re.search(r'id="(f-role-assign-nag-\d+)"', missing)
    assert form is not None
    send(night.client("mara.lind"), page, form[1], role="communications_lead", account="noor.haddad")
    state = night.app.incident(night.incident, night.who("mara.lind")).incidents
    assert state.holder("communications_lead") == "noor.haddad"


def test_a_countersignature_waits_for_everybody_but_who_owes_it(night: Night) -> None:
    night.do(
        "mara.lind", "contain-decide", action="Disable the key", owner="idris.okoro", destroys="sessions of the key",
        accepts_loss="mara.lind", undo="Enable it again",
    )  # fmt: skip  # one command
    theirs = night.page("idris.okoro")
    assert "approved alone" in words_of(part(theirs, "approvals"))
    assert "approved alone" not in words_of(part(night.page("mara.lind"), "approvals"))
    form = re.search(r'id="(f-countersign-[^"]+)"', part(theirs, "approvals"))
    assert form is not None
    send(night.client("idris.okoro"), theirs, form[1])
    assert not night.app.incident(night.incident, night.who("mara.lind")).incidents.owed


def test_the_board_settles_a_part_only_with_what_proves_it(night: Night) -> None:
    browser, page = night.client("mara.lind"), night.page("mara.lind", "/board")
    send(browser, page, "f-board-claim-F5") if 'id="f-board-claim-F5"' in page else None
    form = "f-board-settle-F5-deployment_history"
    bare = browser.post(action_of(page, form), data={**fields_of(page, form), "standing": "done"})
    assert bare.status_code == 422
    assert "Done needs at least one citation" in words_of(bare.text)
    send(browser, page, form, standing="unreachable", reason="The pipeline's database is down.")
    board = night.page("mara.lind", "/board")
    assert "The pipeline's database is down." in words_of(part(board, "line-F5"))
    assert "unreachable" in words_of(part(board, "part-F5-deployment_history"))


def test_the_board_shows_the_report_word_for_word(quiet: Night) -> None:
    said = words_of(part(quiet.page("mara.lind", "/board"), "line-F2"))
    assert "Code host alert: secret scanning found an AWS key in the public repository payments-infra." in said


def test_the_freeze_page_answers_as_a_pipeline_is_answered(quiet: Night) -> None:
    frozen = words_of(quiet.page("ada.ops", "/freeze?scope=prod/payments"))
    assert "Frozen : a change to prod/payments stops (exit 10), by freeze-1." in frozen
    assert "Go , as far as this incident is concerned" in words_of(quiet.page("ada.ops", "/freeze?scope=staging"))


def test_the_timeline_orders_by_when_it_happened_and_shows_a_late_record(quiet: Night) -> None:
    page = quiet.page("mara.lind", "/timeline?order=oldest")
    entries = re.findall(r'id="e-(\d+)"', page)
    assert entries[0] == "23", "what happened at 02:51 comes first though it was recorded last"
    first = part(page, "e-23")
    assert "recorded" in words_of(first[: first.index("</li>")])
    assert "from CloudTrail" in words_of(first[: first.index("</li>")])


def test_the_timeline_is_filtered_by_an_address_alone(quiet: Night) -> None:
    messages = quiet.page("mara.lind", "/timeline?kind=message&actor=idris.okoro")
    assert "never seen" in words_of(messages)
    assert "please find out" not in words_of(messages)
    by_source = quiet.page("mara.lind", "/timeline?source=CloudTrail")
    assert re.findall(r'id="e-(\d+)"', by_source) == ["23"]
    by_words = quiet.page("mara.lind", "/timeline?words=PAYMENTS%20WHO")
    assert "Ask payments who may rotate" in words_of(by_words)
    zoomed = quiet.page("mara.lind", "/timeline?from=2026-11-23T02:50&to=2026-11-23T02:52")
    assert re.findall(r'id="e-(\d+)"', zoomed) == ["23"]


def test_a_time_that_cannot_be_read_is_said_to_be_and_narrows_nothing(quiet: Night) -> None:
    page = quiet.page("mara.lind", "/timeline?from=yesterday")
    assert "This is not a time." in words_of(page)
    assert "32 of 32 entries" in words_of(page)


def test_a_quiet_stretch_is_drawn_as_a_gap_but_not_among_filtered_entries(night: Night) -> None:
    night.later(hours=2)
    night.do("mara.lind", "message-post", text="Back.")
    assert "Nothing is recorded until" in words_of(night.page("mara.lind", "/timeline"))
    assert "Nothing is recorded until" not in words_of(night.page("mara.lind", "/timeline?kind=message"))


def test_the_picture_counts_exactly_the_entries_below_it(quiet: Night) -> None:
    state = quiet.app.incident(quiet.incident, quiet.who("mara.lind"))
    found = spine.spine(state, quiet.app.record.load(state.id), quiet.app.texts, spine.Wanted())
    assert found.picture is not None
    assert sum(column.total for column in found.picture.columns) == found.found == state.seq + 1
    assert len(found.picture.columns) <= spine.COLUMNS
    page = quiet.page("mara.lind", "/timeline")
    zoom = re.search(r'<a href="([^"]+from=[^"]+)" tabindex="-1">', page)
    assert zoom is not None
    assert quiet.client("mara.lind").get(html.unescape(zoom[1])).status_code == 200


def test_entries_centuries_apart_still_make_a_picture(night: Night) -> None:
    for when in ("1583-01-01T00:00:00Z", "1999-12-31T23:59:00Z"):
        night.do("mara.lind", "timeline-add", text="A clock was wrong", occurred_at=when, basis="estimated")
    page = night.page("mara.lind", "/timeline")
    assert "A clock was wrong" in words_of(page)
    assert "≈" in page


def test_an_entry_is_pinned_and_corrected_without_scripts(night: Night) -> None:
    browser = night.client("mara.lind")
    send(browser, night.page("mara.lind", "/timeline?entry=23"), "f-timeline-pin-23")
    page = night.page("mara.lind", "/timeline?entry=23")
    assert re.search(r'class="[^"]*pinned"[^>]* id="e-23"', page)
    send(
        browser, page, "f-timeline-supersede-23", text="First use at 02:49", occurred_at="2026-11-23T02:49:00Z",
        reason="The log's clock was two minutes off",
    )  # fmt: skip  # one form
    after = night.page("mara.lind", "/timeline")
    assert "corrected by #" in words_of(after)
    assert re.search(r'class="[^"]*superseded"[^>]* id="e-23"', after)


def test_the_room_quotes_what_a_message_answers(night: Night) -> None:
    browser = night.client("idris.okoro")
    page = night.page("idris.okoro", "/room?reply=15")
    form = next(name for name in re.findall(r'id="(f-message-post[^"]*)"', page))
    send(browser, page, form, text="On it, @mara.lind")
    after = night.page("mara.lind", "/room")
    said = part(after, "messages")
    assert 'class="message to-me"' in said
    assert "#15 mara.lind @idris.okoro please find out" in words_of(said)


def test_pinned_messages_and_decisions_stand_beside_the_room(night: Night) -> None:
    night.do("mara.lind", "message-pin", entry=15)
    night.do("mara.lind", "decide", text="Rotate before we look further", rejected="Waiting for payments: too slow")
    page = night.page("mara.lind", "/room")
    assert "please find out who used the key" in words_of(part(page, "pins"))
    assert "Turned down: Waiting for payments: too slow" in words_of(part(page, "decisions"))


def test_a_file_is_stored_as_evidence_by_a_plain_form(night: Night) -> None:
    browser, page = night.client("mara.lind"), night.page("mara.lind", "/evidence")
    hidden = fields_of(page, "f-evidence")
    sent = {"file": ("screen shot.png", PNG, "text/html")}
    answer = browser.post(f"/incidents/{night.incident}/evidence", data={**hidden, "kind": "", "name": ""}, files=sent)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].endswith("/evidence/ev-3")
    item = night.app.incident(night.incident, night.who("mara.lind")).evidence.items["ev-3"]
    assert (item.kind, item.media_type, item.size) == ("screenshot", "image/png", len(PNG))
    assert item.sha256 == hashlib.sha256(PNG).hexdigest()
    again = browser.post(f"/incidents/{night.incident}/evidence", data={**hidden, "kind": "", "name": ""}, files=sent)
    assert again.status_code == 303
    assert len(night.app.incident(night.incident, night.who("mara.lind")).evidence.items) == 3


def test_a_form_without_a_file_keeps_what_was_typed(night: Night) -> None:
    browser, page = night.client("mara.lind"), night.page("mara.lind", "/evidence")
    data = {**fields_of(page, "f-evidence"), "origin": HOSTILE}
    answer = browser.post(f"/incidents/{night.incident}/evidence", data=data, files={"other": ("", b"")})
    assert answer.status_code == 422
    assert "No file came with the form." in words_of(answer.text)
    assert html.escape(HOSTILE, quote=True).replace("&quot;", "&#34;") in answer.text


def test_a_file_from_another_sites_form_is_refused(night: Night) -> None:
    browser = night.client("mara.lind")
    answer = browser.post(f"/incidents/{night.incident}/evidence", data={"csrf": "wrong"}, files={"file": ("a", b"a")})
    assert answer.status_code == 403
    assert len(night.app.incident(night.incident, night.who("mara.lind")).evidence.items) == 2


def test_only_what_is_a_picture_by_its_bytes_is_shown_and_looking_is_recorded(night: Night) -> None:
    shot = night.collect("mara.lind", "a.png", PNG, kind="screenshot", media_type="image/png")
    page = night.collect("mara.lind", "b.png", b"<script>alert(1)</script>", kind="screenshot", media_type="image/png")
    browser, base = night.client("mara.lind"), f"/incidents/{night.incident}/evidence"
    shown = browser.get(f"{base}/{shot}/picture")
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert browser.get(f"{base}/{page}/picture").status_code == 404
    loaded = browser.get(f"{base}/{page}/content")
    assert loaded.headers["content-disposition"].startswith("attachment")
    assert loaded.headers["content-type"] == "application/octet-stream"
    assert "viewed" in words_of(part(night.page("mara.lind", f"/evidence/{shot}"), "trail"))


def test_custody_moves_in_two_steps_on_the_items_page(night: Night) -> None:
    theirs = night.page("idris.okoro", "/evidence/ev-1")
    send(night.client("idris.okoro"), theirs, "f-evidence-transfer-ev-1", to="tomas.vega")
    assert "offered to tomas.vega" in words_of(night.page("mara.lind", "/evidence/ev-1"))
    assert "ev-1 is offered to you" in words_of(night.page("tomas.vega"))
    send(night.client("tomas.vega"), night.page("tomas.vega", "/evidence/ev-1"), "f-evidence-accept-ev-1")
    item = night.app.incident(night.incident, night.who("mara.lind")).evidence.items["ev-1"]
    assert item.custodian == "tomas.vega"
    assert "took ev-1 over from idris.okoro" in words_of(part(night.page("mara.lind", "/evidence/ev-1"), "trail"))


def test_a_pack_comes_from_a_plain_form_and_is_recorded(night: Night) -> None:
    browser, page = night.client("mara.lind"), night.page("mara.lind", "/evidence")
    data = {**fields_of(page, "f-pack"), "recipient": "Auditor", "purpose": "Yearly audit", "withheld": ["ev-2"]}
    answer = browser.post(f"/incidents/{night.incident}/pack", data=data)
    assert answer.status_code == 200, answer.text
    assert f'filename="{night.incident}.tar"' in answer.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as pack:
        assert any(name.endswith("bagit.txt") for name in pack.getnames())
    assert "Auditor" in words_of(night.page("mara.lind", "/evidence/ev-1"))
    without = browser.post(f"/incidents/{night.incident}/pack", data={**data, "recipient": " "})
    assert without.status_code == 422
    assert "Yearly audit" in without.text


def test_command_moves_by_a_brief_that_is_read_and_accepted(night: Night) -> None:
    mara = night.page("mara.lind", "/people")
    send(night.client("mara.lind"), mara, "f-handover-propose", to="idris.okoro", note="I need sleep")
    theirs = night.page("idris.okoro", "/people")
    assert "Command has not moved." in words_of(theirs)
    assert "Handover brief, " in theirs
    assert "The attacker made a key for the user backup" in words_of(part(theirs, "handover"))
    send(night.client("idris.okoro"), theirs, "f-handover-accept-page")
    assert night.app.incident(night.incident, night.who("mara.lind")).incidents.commander == "idris.okoro"


def test_who_may_act_on_command_depends_on_who_looks(night: Night) -> None:
    assert "Ask whether mara.lind is there" in words_of(night.page("idris.okoro", "/people"))
    night.do("idris.okoro", "command-challenge")
    assert "I am here, and I command" in words_of(night.page("mara.lind", "/people"))
    assert "Relieve mara.lind" not in words_of(night.page("idris.okoro", "/people"))
    night.later(minutes=30)
    assert "Relieve mara.lind and take command" in words_of(night.page("idris.okoro", "/people"))
    assert "Take command as the business owner" in words_of(night.page("tomas.vega", "/people"))


def test_a_restricted_incident_is_not_there_for_others_and_lists_its_people(night: Night) -> None:
    night.do("mara.lind", "access-restrict", codename="GREY HERON", reason="An insider may read along.")
    page = night.page("mara.lind", "/people")
    assert "Say only GREY HERON outside the room." in words_of(page)
    assert "noor.haddad" not in words_of(part(page, "access").split("<form")[0])
    outside = night.client("noor.haddad")
    for path in ("", "/topline", "/board", "/timeline", "/room", "/evidence", "/evidence/ev-1", "/people", "/freeze"):
        answer = outside.get(f"/incidents/{night.incident}{path}")
        assert answer.status_code == 404, path
        assert "payments" not in answer.text
    missing = outside.get("/incidents/INC-2026-0999")
    assert words_of(missing.text).replace("INC-2026-0999", night.incident) == words_of(
        outside.get(f"/incidents/{night.incident}").text
    )


def test_hostile_words_are_shown_and_never_run(tmp_path: Path) -> None:
    night = Night(tmp_path)
    night.declare(name=HOSTILE[:120], reported_by=HOSTILE, play=None)
    night.do("mara.lind", "message-post", text=f"{HOSTILE} {OVERRIDE} @mara.lind")
    night.do("mara.lind", "decide", text=HOSTILE, rejected=OVERRIDE)
    night.do("mara.lind", "claim-state", text=HOSTILE)
    night.do("mara.lind", "task-assign", owner="mara.lind", action=HOSTILE, due=night.now + timedelta(hours=1))
    night.do("mara.lind", "timeline-add", text=OVERRIDE, occurred_at=night.now, source=HOSTILE)
    night.collect("mara.lind", f"../../{OVERRIDE}", b"x", origin=HOSTILE)
    night.collect("mara.lind", "n" * 10_000, b"y", origin="o" * 10_000)
    try:
        for path in (
            "",
            "/board",
            "/timeline?recorded=yes",
            "/room",
            "/evidence",
            "/evidence/ev-1",
            "/evidence/ev-2",
            "/people",
        ):
            page = night.page("mara.lind", path)
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
            assert "\u202e" not in page, path
        assert "&lt;script&gt;alert(1)" in night.page("mara.lind", "/room")
        assert "[U+202E]" in night.page("mara.lind", "/room")
        shown = words_of(night.page("mara.lind", "/evidence"))
        assert "invoicetxt.exe" in shown, "the override is gone from a file's name, its letters are not"
        assert "n" * 200 not in shown
    finally:
        night.app.close()


def test_an_erased_message_leaves_its_tombstone_in_the_room(night: Night) -> None:
    state = night.app.incident(night.incident, night.who("mara.lind"))
    event = next(event for event in night.app.record.load(state.id) if event.type == "message.posted")
    target = event.data["text"]["sealed"]
    night.do("tomas.vega", "erasure-request", target=target, reason="Names a customer", legal_basis="GDPR Art. 17")
    assert "Erase" in words_of(part(night.page("mara.lind"), "approvals"))
    night.do("mara.lind", "erasure-approve", erasure_id="erasure-1")
    page = night.page("mara.lind", "/room")
    assert "please find out" not in page
    assert 'class="erased"' in page


def test_an_item_that_does_not_exist_is_a_plain_404(quiet: Night) -> None:
    answer = quiet.client("mara.lind").get(f"/incidents/{quiet.incident}/evidence/ev-99")
    assert answer.status_code == 404
    assert "There is no ev-99" in words_of(answer.text)
    with pytest.raises(NotFoundError):
        quiet.app.incident("INC-2026-0777", quiet.who("mara.lind"))
