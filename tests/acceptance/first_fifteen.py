"""F1 to F6 through one surface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.acceptance.driver import By
from tests.acceptance.installation import COMMANDER, COMMUNICATOR, KEEPER, LEAD, OWNER
from tests.acceptance.shipped import BOARD

REPORT = {
    "reported_by": "The on-call engineer of the payments team",
    "reported_when": "At seven minutes past three this morning",
    "affected_systems": "The payments database and its nightly export",
    "suspected_impact": "Somebody may read the export bucket",
    "evidence_in_hand": "A screenshot of the commit with the key in it",
}
IMPACTS = {"customer_data": "suspected", "production_availability": "no", "privileged_access": "confirmed"}


def soon(minutes: int) -> str:
    """So many minutes from now, to the second."""
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)).isoformat()


class FirstFifteen:
    """The board: room and commander, report, severity and impact, freeze, evidence, containment."""

    def test_f1_the_room_is_open_and_the_commander_is_named(self, by: By) -> None:
        incident = by.declare(name="The room opens by itself")
        posted = by.performed(LEAD, "message-post", incident, on="room", text=f"I am in. @{COMMANDER}, do you command?")
        assert (posted["type"], posted["mentions"]) == ("message.posted", [COMMANDER])
        by.shows(incident, "room", "I am in.", LEAD)
        pinned = by.performed(COMMANDER, "message-pin", incident, entry=posted["seq"])
        assert (pinned["type"], pinned["entry"]) == ("message.pinned", posted["seq"])
        by.performed(COMMANDER, "command-take", incident)
        board = by.board(incident)
        assert board["F1"] == {"channel": "done", "commander": "done"}
        by.shows(incident, "board", BOARD["F1"].name)
        by.shows_timeline(incident)

    def test_f2_the_first_report_is_kept_word_for_word_in_its_five_fields(self, by: By) -> None:
        incident = by.declare(name="Report with everything", **REPORT)
        declared = next(one["data"] for one in by.events(incident) if one["type"] == "incident.declared")
        assert set(declared["report"]) == set(REPORT)
        assert by.board(incident)["F2"] == dict.fromkeys(REPORT, "done")
        by.shows(incident, "board", *REPORT.values())

    def test_f2_a_part_that_was_unknown_is_added_or_settled_with_its_reason(self, by: By) -> None:
        incident = by.declare(name="Report with almost nothing")
        for part, words in list(REPORT.items())[:4]:
            added = by.performed(KEEPER, "report-add", incident, on="board", part=part, text=words)
            assert (added["type"], added["part"]) == ("report.added", part)
        settled = by.performed(
            KEEPER, "board-settle", incident, on="board",
            line="F2", part="evidence_in_hand", standing="unknown", reason="the reporter cannot be reached",
        )  # fmt: skip
        assert (settled["part"], settled["standing"]) == ("evidence_in_hand", "unknown")
        assert by.board(incident)["F2"] == {**dict.fromkeys(REPORT, "done"), "evidence_in_hand": "unknown"}
        by.shows(incident, "board", *list(REPORT.values())[:4], "the reporter cannot be reached")
        by.shows_together(incident, "board", (BOARD["F2"].parts["evidence_in_hand"], "unknown"))
        by.shows_timeline(incident)

    def test_f3_severity_and_the_three_impacts_are_stated_apart(self, by: By) -> None:
        incident = by.declare(name="What may be affected", answers=["ci_token=confirmed"])
        for impact, answer in IMPACTS.items():
            stated = by.performed(
                COMMANDER, "impact-state", incident, on="board",
                impact=impact, answer=answer, reason=f"what we know of {impact}",
            )  # fmt: skip
            assert (stated["type"], stated["impact"], stated["answer"]) == ("impact.stated", impact, answer)
        assert by.board(incident)["F3"] == {"severity": "done", **dict.fromkeys(IMPACTS, "done")}
        by.shows_together(incident, "", *((impact, answer) for impact, answer in IMPACTS.items()))
        named = ((BOARD["F3"].parts[impact], "done") for impact in IMPACTS)
        by.shows_together(incident, "board", (BOARD["F3"].parts["severity"], "done"), *named)
        by.shows_timeline(incident)

    def test_f4_the_freeze_stops_the_gate_and_a_pass_goes_through_it(self, by: By) -> None:
        incident = by.staged("F4")
        scope = f"prod/{by.name}/payments"
        assert by.surface.gate(LEAD, incident, scope) == "go"
        ordered = by.performed(
            COMMANDER, "freeze-order", incident, on="freeze", scopes=[f"prod/{by.name}"],
            reason="nothing may be deleted now", expires_at=soon(60),
        )  # fmt: skip
        assert (ordered["type"], ordered["scopes"], ordered["ask"]) == (
            "freeze.ordered",
            [f"prod/{by.name}"],
            COMMANDER,
        )
        assert by.surface.gate(LEAD, incident, scope) == "frozen"
        by.shows(incident, "freeze", f"prod/{by.name}", "nothing may be deleted now")
        issued = by.performed(
            COMMANDER, "freeze-pass", incident, on="freeze", scope=scope, issued_to="deploy-payments",
            reason="close the bucket", expires_at=soon(30),
        )  # fmt: skip
        assert (issued["type"], issued["scope"]) == ("pass.issued", scope)
        assert by.surface.gate(LEAD, incident, scope, by.token()) == "go"
        used = next(one for one in by.events(incident) if one["type"] == "pass.used")
        assert used["data"]["pass_id"] == issued["pass_id"]
        lifted = by.performed(
            LEAD, "freeze-lift", incident, on="freeze", freeze_id=ordered["freeze_id"], reason="it is contained"
        )
        assert (lifted["type"], lifted["freeze_id"]) == ("freeze.lifted", ordered["freeze_id"])
        assert by.surface.gate(LEAD, incident, scope) == "go"
        assert by.board(incident)["F4"] == {"freeze": "done"}
        by.shows_timeline(incident)

    def test_f5_each_volatile_source_is_captured_and_cited(self, by: By) -> None:
        incident = by.declare(name="Capture before anything changes")
        for part, name in BOARD["F5"].parts.items():
            item = by.capture(KEEPER, incident, f"what {name} held, by {by.name}", source=part)
            settled = by.performed(KEEPER, "board-settle", incident, on="board", line="F5", part=part, cites=[item])
            assert (settled["line"], settled["part"], settled["standing"]) == ("F5", part, "done")
            assert [one["evidence"] for one in settled["citations"]] == [item]
            assert len(settled["citations"][0]["sha256"]) == 64
        assert by.board(incident)["F5"] == dict.fromkeys(BOARD["F5"].parts, "done")
        named = enumerate(BOARD["F5"].parts.values(), start=1)
        by.shows_together(incident, "board", *((name, "done", f"ev-{number}") for number, name in named))
        by.shows(incident, "evidence", *(f"ev-{number}" for number in range(1, 7)))
        by.shows_timeline(incident)

    def test_f5_a_source_that_cannot_be_captured_says_why(self, by: By) -> None:
        incident = by.declare(name="Not everything can be captured")
        assert by.refused(KEEPER, "board-settle", incident, line="F5", part="ci_logs") == "part-needs-citation"
        for part, standing in zip(BOARD["F5"].parts, ("unknown", "unreachable", "not_applicable"), strict=False):
            settled = by.performed(
                KEEPER, "board-settle", incident, on="board",
                line="F5", part=part, standing=standing, reason=f"{part} is {standing}, and we know why",
            )  # fmt: skip
            assert (settled["part"], settled["standing"]) == (part, standing)
            by.shows_together(
                incident, "board", (BOARD["F5"].parts[part], standing, f"{part} is {standing}, and we know why")
            )
        by.shows_timeline(incident)

    def test_f6_the_first_containment_has_an_owner_and_says_what_it_costs(self, by: By) -> None:
        incident = by.staged("F6")
        decided = by.performed(
            COMMANDER, "contain-decide", incident, on="board", action="Block the key at the provider", owner=LEAD,
            destroys="live sessions of the intruder", accepts_loss=OWNER, undo="unblock the key",
        )  # fmt: skip
        assert (decided["type"], decided["owner"], decided["accepts_loss"]) == ("containment.decided", LEAD, OWNER)
        assert by.board(incident)["F6"] == {"decision": "done", "owner": "done"}
        by.shows(incident, "board", "Block the key at the provider", LEAD)
        cost = ("live sessions of the intruder", OWNER, "unblock the key")
        by.shows(incident, "timeline", *cost)
        by.shows_timeline(incident)

    def test_a_line_of_the_board_has_one_owner_who_says_so(self, by: By) -> None:
        incident = by.declare(name="Who owns which line")
        for line in BOARD:
            assigned = by.performed(COMMANDER, "board-assign", incident, on="board", line=line, owner=COMMUNICATOR)
            assert (assigned["type"], assigned["line"], assigned["owner"]) == ("board.assigned", line, COMMUNICATOR)
            by.performed(COMMUNICATOR, "board-acknowledge", incident, on="board", line=line)
        by.shows(incident, "board", COMMUNICATOR)
        by.shows_timeline(incident)
