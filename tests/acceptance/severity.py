"""S1 to S4 and R1 to R5 through one surface."""

from __future__ import annotations

from tests.acceptance.driver import STAFF, By
from tests.acceptance.expected import CLASSIFIED
from tests.acceptance.installation import COMMANDER, LEAD, OWNER, SECOND

TARGETS = {
    "SEV-1": "SEV-1: incident command at once",
    "SEV-2": "SEV-2: the same business day",
    "SEV-3": "SEV-3: the next business day",
}
OWNS = {
    "commander": ("severity", "timeline", "decision", "handing over"),
    "technical_lead": ("investigation", "containment", "eradication", "recovery"),
    "communications_lead": ("Updates inside", "drafts for customers", "briefing the leadership"),
    "evidence_owner": ("logs", "screenshots", "tickets", "command history"),
    "business_owner": ("customers", "lawyers", "regulators", "contract"),
}


class Severity:
    """Classifying, raising, lowering."""

    def test_the_twelve_examples_are_classified_exactly(self, by: By) -> None:
        for words, (answer, level) in CLASSIFIED.items():
            incident = by.declare(name=words, answers=[answer])
            answered, assigned = (
                next(event["data"] for event in by.events(incident) if event["type"] == kind)
                for kind in ("severity.answered", "severity.set")
            )
            assert (answered["level"], assigned["level"]) == (level, level), words
            assert answered["rule"] == answer.partition("=")[0], words
            by.shows(incident, "", words, level)
            by.shows_timeline(incident)

    def test_answers_given_later_are_assessed_and_shown_beside_the_declared_level(self, by: By) -> None:
        incident = by.declare(name="Something is odd in the gateway")
        answered = by.performed(
            COMMANDER, "severity-answer", incident, answers=["exploited_service=confirmed", "data_left=suspected"]
        )
        assert (answered["level"], answered["rule"]) == ("SEV-1", "E1")
        assert answered["answers"] == {"exploited_service": "confirmed", "data_left": "suspected"}
        by.shows(incident, "", "SEV-4", "SEV-1")
        by.shows_timeline(incident)

    def test_harm_to_customers_the_commander_judges_likely_is_a_sev_1(self, by: By) -> None:
        incident = by.declare(
            name="Token of the release pipeline", answers=["ci_token=confirmed"], customer_impact_likely=True
        )
        assert next(one["data"] for one in by.events(incident) if one["type"] == "severity.set") == {
            "level": "SEV-1",
            "rule": "E4",
        }

    def test_severity_is_raised_freely_and_lowered_by_two_people(self, by: By) -> None:
        incident = by.declare(name="Shop front defaced", answers=["failed_control=confirmed"])
        raised = by.performed(
            LEAD, "severity-raise", incident, level="SEV-2", reason="the page was changed from outside"
        )
        assert (raised["type"], raised["previous"], raised["level"]) == ("severity.raised", "SEV-3", "SEV-2")
        proposed = by.performed(
            COMMANDER, "severity-lower", incident, level="SEV-3", reason="only the cache was changed"
        )
        assert proposed["type"] == "severity.lower_proposed"
        assert by.refused(COMMANDER, "severity-confirm-lower", incident) == "second-person-needed"
        lowered = by.performed(SECOND, "severity-confirm-lower", incident)
        assert (lowered["type"], lowered["level"], lowered["proposed_by"]) == ("severity.lowered", "SEV-3", COMMANDER)
        by.shows(incident, "", "SEV-3")
        by.shows_timeline(incident)

    def test_the_response_target_of_each_level_is_a_clock(self, by: By) -> None:
        answers = {"SEV-1": "data_left", "SEV-2": "ci_token", "SEV-3": "failed_control"}
        for level, question in answers.items():
            incident = by.declare(name=f"Response to a {level}", answers=[f"{question}=confirmed"])
            by.shows(incident, "", TARGETS[level])


class Roles:
    """Five roles, what each owns, handing over."""

    def test_who_declares_is_acting_until_somebody_says_i_command(self, by: By) -> None:
        incident = by.declare(name="Who commands this")
        by.shows(incident, "people", "acting")
        taken = by.performed(COMMANDER, "command-take", incident, on="people")
        assert taken["type"] == "command.assumed"
        by.shows(incident, "people", COMMANDER)
        by.shows_timeline(incident)

    def test_the_other_four_roles_are_given_and_shown_with_what_they_own(self, by: By) -> None:
        incident = by.declare(name="Filling the roles")
        by.perform(COMMANDER, "command-take", incident)
        for role, account in STAFF.items():
            assigned = by.performed(COMMANDER, "role-assign", incident, on="people", role=role, account=account)
            assert (assigned["type"], assigned["role"], assigned["account"]) == ("role.assigned", role, account)
        by.shows(incident, "people", COMMANDER, *STAFF.values())
        if by.name == "page":
            by.shows(incident, "people", *(word for words in OWNS.values() for word in words))
        by.shows_timeline(incident)

    def test_command_is_handed_over_in_two_steps(self, by: By) -> None:
        incident = by.declare(name="Night shift to day shift")
        by.perform(COMMANDER, "command-take", incident)
        proposed = by.performed(COMMANDER, "handover-propose", incident, on="people", to=SECOND, note="your turn")
        assert (proposed["type"], proposed["to"]) == ("handover.proposed", SECOND)
        assert by.read(f"/incidents/{incident}/post")["roles"]["commander"] == COMMANDER
        accepted = by.perform(SECOND, "handover-accept", incident)
        assert "handover.accepted" in [event["type"] for event in accepted]
        assert by.read(f"/incidents/{incident}/post")["roles"]["commander"] == SECOND
        by.shows(incident, "people", SECOND)
        by.shows_timeline(incident)

    def test_somebody_unqualified_does_not_take_command(self, by: By) -> None:
        incident = by.declare(name="Not everybody commands")
        assert by.refused(OWNER, "command-override", incident, reason="to see") == "not-permitted"
        assert by.refused(LEAD, "handover-accept", incident) != ""
