"""Investigation, plays, claims, updates, recovery and review as a browser without scripts gets and sends them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from holdfast.app.queries.reviewing import MomentShown
from holdfast.web.pages.review import WIDTH, picture
from tests.unit.web.morning import HOSTILE, quick, recovering
from tests.unit.web.night import START, Night, begun

SECTIONS = ("investigation", "plays", "claims", "updates", "recovery", "review")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return recovering(tmp_path_factory.mktemp("night"))


@pytest.fixture
def fresh(tmp_path: Path) -> Night:
    return quick(begun(tmp_path))


class Forms(HTMLParser):
    """The forms of a page: id to address, fields with their first values, and radio values on offer."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: dict[str, tuple[str, dict[str, str]]] = {}
        self.now = ""
        self.area = ""
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "id" in said:
            self.ids.append(said["id"])
        if tag == "form":
            self.now = said.get("id", "")
            self.forms[self.now] = (said.get("action", ""), {})
        elif tag in ("input", "select", "textarea") and self.now and "name" in said:
            chosen = said.get("type") not in ("radio", "checkbox") or "checked" in said
            if chosen:
                self.forms[self.now][1][said["name"]] = said.get("value", "")
            self.area = said["name"] if tag == "textarea" else ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.forms[self.now][1][self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.now = ""
        elif tag == "textarea":
            values = self.forms[self.now][1]
            values[self.area] = values[self.area].removeprefix("\n")
            self.area = ""


def send(night: Night, name: str, section: str, form: str, **typed: str) -> str:
    """Fill a form of a section's page and send it; the section as it is afterwards."""
    action, values = Forms(night.page(name, f"/{section}")).forms[form]
    done = night.client(name).post(action, data={**values, **typed})
    assert done.status_code == 303, done.text
    assert done.headers["location"].startswith(f"/incidents/{night.incident}/{section}")
    return night.page(name, f"/{section}")


def part(html: str, identity: str) -> str:
    """The section with an id, as text without tags."""
    found = re.search(rf'<section[^>]*\bid="{identity}".*?(?=\n<section |\Z)', html, re.DOTALL)
    assert found is not None, identity
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


@pytest.mark.parametrize("section", SECTIONS)
def test_every_id_of_a_page_is_there_once(night: Night, section: str) -> None:
    for name in ("mara.lind", "idris.okoro"):
        ids = Forms(night.page(name, f"/{section}")).ids
        assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_observer_reads_everything_and_is_offered_no_form(night: Night, section: str) -> None:
    page = night.page("ada.ops", f"/{section}")
    assert [form for form in Forms(page).forms if form.startswith("f-")] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_a_young_incident_shows_what_belongs_there(tmp_path: Path, section: str) -> None:
    young = Night(tmp_path)
    young.declare(play=None)
    assert f"{young.incident}" in young.page("mara.lind", f"/{section}")


def test_hostile_words_are_only_ever_words(fresh: Night) -> None:
    do = fresh.do
    do("idris.okoro", "claim-state", text=HOSTILE)
    do("idris.okoro", "question-unknown", question="I3", reason=HOSTILE)
    do("idris.okoro", "play-start", play="ci-token", subject=HOSTILE)
    do("idris.okoro", "step-settle", play_id="play-1", step="LS1", part="scope", standing="unknown", reason=HOSTILE)
    do("idris.okoro", "step-record", play_id="play-1", step="LS1", output="fingerprint", value=HOSTILE)
    do("mara.lind", "update-draft", audience="responders", next_update_at=fresh.now + timedelta(hours=1), text=HOSTILE)
    do("idris.okoro", "cause-unknown", rationale=HOSTILE)
    do("tomas.vega", "escalation-decide", escalation="legal", decision="no", reason=HOSTILE)
    do("mara.lind", "default-propose", text=HOSTILE, owner="idris.okoro")
    for section in (*SECTIONS, "plays?run=play-1"):
        page = fresh.page("mara.lind", f"/{section}")
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page, section


def test_an_answer_with_gaps_says_so_in_the_same_breath(night: Night) -> None:
    shown = part(night.page("mara.lind", "/investigation"), "question-I1")
    assert "answered" in shown
    assert "Answered, but not clean: 1 of 4 parts is not done." in shown
    assert "unreachable Vendor changes" in shown


def test_a_question_is_settled_answered_and_opened_again_by_forms(fresh: Night) -> None:
    form = "f-question-settle-I7-answer"
    shown = part(send(fresh, "idris.okoro", "investigation", form, standing="done", cites="ev-1"), "question-I7")
    assert "done Answer ev-1" in shown
    shown = part(
        send(fresh, "idris.okoro", "investigation", "f-question-answer-I7", answer="No: it is refused.", cites="ev-1"),
        "question-I7",
    )
    assert "No: it is refused." in shown
    assert "not clean" not in shown
    shown = part(
        send(fresh, "idris.okoro", "investigation", "f-question-reopen-I7", reason="A sibling was found."),
        "question-I7",
    )
    assert "opened again A sibling was found." in shown
    assert "Open again, so this no longer stands:" in shown


def test_a_step_that_destroys_evidence_names_what_is_not_captured(night: Night) -> None:
    shown = part(night.page("mara.lind", "/plays"), "play-1-LS3")
    assert "This step destroys evidence." in shown
    assert "Not captured yet [F5]: Deployment history, Identity-provider logs, Relevant application logs." in shown
    assert "Accept the loss of what is not captured" in shown
    assert "Accept the loss" not in part(night.page("idris.okoro", "/plays"), "play-1-LS3")


def test_typed_outputs_are_asked_for_by_their_type(night: Night) -> None:
    forms = Forms(night.page("idris.okoro", "/plays")).forms
    assert "cites" not in forms["f-step-record-play-1-LS1-fingerprint"][1]
    assert "value" not in forms["f-step-record-play-1-LS4-logs"][1]
    assert {"value", "cites"} <= set(forms["f-step-record-play-1-LS2-places"][1])
    page = night.page("idris.okoro", "/plays")
    assert 'value="revoked" required' in page


def test_a_step_is_worked_through_by_forms_and_then_folds(fresh: Night) -> None:
    where = "play-1-LS6"
    send(fresh, "idris.okoro", "plays", f"f-step-settle-{where}-result", standing="done", cites="ev-1")
    send(fresh, "idris.okoro", "plays", f"f-step-record-{where}-kind", value="scanning_rule")
    shown = part(send(fresh, "idris.okoro", "plays", f"f-step-record-{where}-action", value="A rule in CI"), where)
    assert "LS6 is done" in shown
    assert "Still open before it: LS1" in shown
    shown = part(send(fresh, "idris.okoro", "plays", f"f-step-done-{where}"), where)
    assert "What was done: 1 part, 2 of 2 outputs" in shown
    assert "Scanning rule" in shown
    shown = part(send(fresh, "idris.okoro", "plays", f"f-step-reopen-{where}", reason="It missed one."), where)
    assert "opened again It missed one." in shown


def test_an_unknown_run_is_not_found(night: Night) -> None:
    assert night.client("mara.lind").get(f"/incidents/{night.incident}/plays?run=play-7").status_code == 404


def test_the_matrix_is_a_table_with_headings_and_flags_what_decides_nothing(night: Night) -> None:
    page = night.page("mara.lind", "/claims")
    assert '<th scope="col"><a href="#claim-2">' in page
    shown = part(page, "matrix")
    assert "ev-2 = decides nothing: alike for all" in shown
    assert "Against 0 rank 1 1 rank 2" in shown


def test_a_claim_is_stated_marked_confirmed_and_taken_back(fresh: Night) -> None:
    send(fresh, "idris.okoro", "claims", "f-claim-state-page", text="The runner was clean.", kind="scope")
    send(fresh, "idris.okoro", "claims", "f-claim-mark-any", claim="claim-3", cite="ev-1", consistency="inconsistent")
    shown = part(
        send(fresh, "idris.okoro", "claims", "f-claim-mark-claim-3-ev-1", consistency="consistent", note="Same hour"),
        "matrix",
    )
    assert "fits" in shown
    send(fresh, "idris.okoro", "claims", "f-claim-confirm-claim-3", cites="ev-1")
    assert "The runner was clean." in part(fresh.page("mara.lind", "/claims"), "facts")
    send(fresh, "mara.lind", "claims", "f-claim-retract-claim-3", reason="Wrong runner")
    assert "retracted The runner was clean." in part(fresh.page("mara.lind", "/claims"), "given-up")


def test_a_retracted_fact_owes_a_correction_until_an_update_made_it(fresh: Night) -> None:
    do = fresh.do

    def tell(number: int, claims: list[str]) -> None:
        soon = fresh.now + timedelta(minutes=30)
        do("idris.okoro", "update-draft", audience="responders", next_update_at=soon, claims=claims)
        send(fresh, "mara.lind", "updates", f"f-update-approve-update-{number}")
        send(fresh, "mara.lind", "updates", f"f-update-send-update-{number}", where="room")

    do("mara.lind", "claim-confirm", claim="claim-2", cites=["ev-1"])
    tell(1, ["claim-2"])
    do("mara.lind", "claim-retract", claim="claim-2", reason="It was our own key")
    shown = part(fresh.page("mara.lind", "/claims"), "corrections")
    assert "owed responders were told claim-2 in update-1" in shown
    assert "Draft the correction to responders" in shown
    tell(2, [])
    send(fresh, "mara.lind", "claims", "f-correction-settle-correction-1", update="update-2")
    assert "Corrected: claim-2 to responders with update-2" in part(fresh.page("mara.lind", "/claims"), "given-up")


def test_a_blocked_text_is_not_offered_for_approval_and_says_why(night: Night) -> None:
    page = night.page("mara.lind", "/updates")
    assert "f-update-approve-update-3" not in Forms(page).forms
    assert "must change It does not hold the eight fields" in part(page, "update-3")
    assert "waits for business owner: tomas.vega" in part(page, "update-3")


def test_authors_are_not_offered_to_approve_their_own_text_while_others_can(fresh: Night) -> None:
    soon = fresh.now + timedelta(minutes=30)
    fresh.do("mara.lind", "update-draft", audience="responders", next_update_at=soon)
    form = "f-update-approve-update-1"
    assert form not in Forms(fresh.page("mara.lind", "/updates")).forms
    assert form in Forms(fresh.page("tomas.vega", "/updates")).forms


def test_a_text_stands_exactly_as_it_is_copied(night: Night) -> None:
    page = night.page("mara.lind", "/updates")
    state = night.app.incident(night.incident, night.who("mara.lind"))
    for update in state.communications.updates.values():
        shown = re.search(rf'<pre id="text-{update.id}"[^>]*>\n(.*?)</pre>', page, re.DOTALL)
        assert shown is not None
        stored = night.app.texts.read([update.text.text_id])[update.text.text_id]
        assert unescape(shown[1]) == stored


def test_hidden_characters_are_named_and_not_offered_for_copying(fresh: Night) -> None:
    soon = fresh.now + timedelta(minutes=30)
    fresh.do("mara.lind", "update-draft", audience="responders", next_update_at=soon, text="pay\u202eevil")
    page = fresh.page("mara.lind", "/updates")
    assert "pay[U+202E]evil" in page
    assert 'data-copy-text="text-update-1"' not in page


def test_customers_get_the_four_contents_from_confirmed_facts(fresh: Night) -> None:
    form = "f-update-draft-customers"
    values = Forms(fresh.page("noor.haddad", "/updates")).forms[form][1]
    assert values["affected"] == "The key read 312 objects of one bucket between 02:51 and 03:05 UTC."
    page = send(
        fresh, "noor.haddad", "updates", form, happened="A key was public.", action="Nothing for now.", claims="claim-1"
    )
    assert "What you should do Nothing for now." in part(page, "update-1")
    assert "backup" not in part(page, "update-1")


def test_a_gate_offers_the_form_that_supplies_what_is_missing(night: Night) -> None:
    tess = set(Forms(night.page("idris.okoro", "/recovery")).forms)
    assert {"f-credential-settle-credential-2", "f-revalidate-settle-images", "f-closure-prove-X7"} <= tess
    assert "f-closure-prove-X3" not in tess
    assert not any(form.startswith(("f-closure-waive", "f-escalation")) for form in tess)
    owner = set(Forms(night.page("tomas.vega", "/recovery")).forms)
    assert {"f-closure-waive-X3", "f-escalation-decide-customer", "f-escalation-receipt-notification-1"} <= owner


def test_a_waiver_never_looks_like_a_proof(night: Night) -> None:
    shown = part(night.page("mara.lind", "/recovery"), "gate-X5")
    assert "waived" in shown
    assert "Waived without proof" in shown
    assert "✓ proven" not in shown


def test_what_keeps_it_from_closing_is_listed_and_closing_is_not_offered(night: Night) -> None:
    page = night.page("mara.lind", "/recovery")
    assert "Recovery cannot be verified yet: 2 gates of X2 to X4 open" in part(page, "closing")
    assert "business owner (tomas.vega)" in part(page, "closing")
    assert not {"f-close", "f-recovery-verify"} & set(Forms(page).forms)


def test_a_false_positive_is_proposed_confirmed_by_another_and_closed_without_gates(fresh: Night) -> None:
    send(
        fresh, "mara.lind", "recovery", "f-disposition-propose",
        disposition="false_positive", reason="It was the test key.", citations="ev-1",
    )  # fmt: skip
    assert "f-disposition-confirm" not in Forms(fresh.page("mara.lind", "/recovery")).forms
    send(fresh, "idris.okoro", "recovery", "f-disposition-confirm")
    shown = part(send(fresh, "mara.lind", "recovery", "f-close"), "closing")
    assert "▸ closed" in shown
    shown = part(send(fresh, "idris.okoro", "recovery", "f-reopen", reason="It was not."), "closing")
    assert "Opened again 1 time" in shown


def test_the_last_gates_let_recovery_be_verified(tmp_path: Path) -> None:
    night = recovering(tmp_path)
    send(night, "idris.okoro", "recovery", "f-credential-settle-credential-2", outcome="revoked", cites="ev-1")
    for part_ in ("images", "deployments"):
        form = f"f-revalidate-settle-{part_}"
        send(night, "idris.okoro", "recovery", form, standing="not_applicable", reason="None is built here.")
    for gate in ("X3", "X4"):
        send(night, "idris.okoro", "recovery", f"f-closure-prove-{gate}", statement="See there.", cites="ev-1")
    shown = part(send(night, "mara.lind", "recovery", "f-recovery-verify"), "closing")
    assert "Recovery verified" in shown
    assert "Review due" in shown
    assert "left" in part(night.page("mara.lind", "/review"), "review")


def test_the_answer_of_a_prompt_begins_with_the_draft_and_what_it_cites(night: Night) -> None:
    values = Forms(night.page("mara.lind", "/review")).forms["f-review-answer-V4"][1]
    assert values["text"].startswith("claim-4 was believed and turned out wrong")
    assert "ev-1" in values["cites"]


def test_measures_are_a_table_and_a_picture_with_the_same_instants(night: Night) -> None:
    page = night.page("mara.lind", "/review")
    shown = part(page, "measures")
    assert "First malicious act Contained 40 h 58 min" in shown
    assert "cannot be told: first signal missing" in shown
    assert page.count("<circle") == 7


def test_the_picture_keeps_the_order_and_never_leaves_its_frame() -> None:
    times = (0, 5, 6, 7, 400_000)
    moments = tuple(
        MomentShown(f"m{at}", f"Moment {at}", START + timedelta(seconds=at), "ana", "observed", at) for at in times
    )
    dots = picture((MomentShown("x", "Unknown", None, None, None, None), *reversed(moments)))
    assert [dot.name for dot in dots] == [f"Moment {at}" for at in times]
    assert all(0 < dot.x < WIDTH for dot in dots)
    assert sorted({dot.x for dot in dots}) == [dot.x for dot in dots]
    assert len({dot.y for dot in dots}) == len(dots)
    assert picture(()) == ()


def test_no_line_of_the_picture_runs_through_words_that_begin_before_it() -> None:
    moments = tuple(
        MomentShown(f"m{at}", f"Moment {at}", START + timedelta(seconds=at), "ana", "observed", at)
        for at in (0, 1, 2, 3, 4, 5, 6)
    )
    dots = picture(moments)
    left = [dot for dot in dots if dot.anchor == "start"]
    assert [dot.y for dot in left] == sorted((dot.y for dot in left), reverse=True)
    right = [dot for dot in dots if dot.anchor == "end"]
    assert [dot.y for dot in right] == sorted(dot.y for dot in right)
