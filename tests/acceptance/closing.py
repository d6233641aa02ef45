"""X1 to X8, V1 to V6, dispositions and reopening, through one surface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.driver import By
from tests.acceptance.installation import COMMANDER, COMMUNICATOR, KEEPER, LEAD, OWNER, SECOND
from tests.acceptance.shipped import GATES, PROMPTS

WAY_OUT = {
    "customer": ("no", {"reason": "no customer record was readable"}),
    "legal": ("no", {"reason": "counsel sees no duty"}),
    "regulatory": ("yes", {"to": "the data protection authority"}),
    "contractual": ("no", {"reason": "no contract partner is affected"}),
}


def in_days(days: int) -> str:
    """A date so many days ahead."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


class Closing:
    """Every gate proven, the review held, the incident closed and opened again; every gate waived in another one."""

    def test_x1_to_x4_are_proven_and_the_recovery_is_verified(self, by: By) -> None:
        incident = self._recovering(by, "proven")
        self._x1(by, incident)
        self._x2(by, incident)
        self._x3(by, incident)
        self._x4(by, incident)
        verified = by.perform(COMMANDER, "recovery-verify", incident, on="recovery", note="we tried the old key")
        assert verified[0]["type"] == "recovery.verified"
        clocks = by.read(f"/incidents/{incident}/post")["clocks"]
        review = next(one for one in clocks if one["key"] == "review")
        assert (review["runbook"], review["running"]) == ("X8", True)
        by.shows_timeline(incident)

    def test_x5_to_x7_are_proven(self, by: By) -> None:
        incident = self._recovering(by, "proven")
        added = by.performed(
            LEAD, "monitor-add", incident, on="recovery",
            indicator="a sign-in with the old key", where="the log platform tells the on-call", cites=["ev-1"],
        )  # fmt: skip
        assert added["type"] == "indicator.monitored"
        self._prove(by, incident, "X5")
        due = (datetime.now(UTC) + timedelta(hours=48)).replace(microsecond=0).isoformat()
        for escalation, (decision, fields) in WAY_OUT.items():
            more = {"due_at": due} if decision == "yes" else {}
            decided = by.performed(
                OWNER, "escalation-decide", incident, on="recovery",
                escalation=escalation, decision=decision, **fields, **more,
            )  # fmt: skip
            assert (decided["type"], decided["escalation"], decided["decision"]) == (
                "escalation.decided", escalation, decision,
            )  # fmt: skip
        assert by.refused(OWNER, "closure-prove", incident, gate="X6", statement="done", cites=["ev-1"]) == (
            "gate-not-provable"
        )
        notification = next(
            event["data"]["notification_id"]
            for event in by.events(incident)
            if event["type"] == "escalation.decided" and event["data"]["decision"] == "yes"
        )
        receipted = by.performed(
            OWNER, "escalation-receipt", incident, on="recovery", notification=notification, receipt="file 2026-118"
        )
        assert (receipted["type"], receipted["late"]) == ("notification.receipted", False)
        self._prove(by, incident, "X6", OWNER)
        assigned = by.performed(
            COMMANDER, "action-assign", incident, on="recovery",
            text="Move the export to workload identity", owner=LEAD, due=in_days(20),
        )  # fmt: skip
        assert (assigned["type"], assigned["owner"], assigned["due"]) == ("action.assigned", LEAD, in_days(20))
        self._prove(by, incident, "X7")
        by.shows(
            incident, "recovery", "a sign-in with the old key", "no customer record was readable", "file 2026-118",
            "Move the export to workload identity", LEAD, in_days(20),
        )  # fmt: skip
        by.shows_timeline(incident)

    def test_x8_and_v1_to_v6_the_review_is_answered_completed_and_closes_the_incident(self, by: By) -> None:
        incident = self._recovering(by, "proven")
        assert by.refused(COMMANDER, "close", incident) == "closure-blocked"
        started = by.performed(COMMANDER, "review-start", incident, on="review")
        assert started["type"] == "review.started"
        for prompt in PROMPTS:
            words = f"What the team says to {prompt}, after reading the record"
            answered = by.performed(
                COMMUNICATOR, "review-answer", incident, on="review", prompt=prompt, text=words, cites=["ev-1"]
            )
            assert (answered["type"], answered["prompt"]) == ("review.answered", prompt)
            by.shows(incident, "review", words)
        completed = by.performed(COMMANDER, "review-complete", incident, on="review")
        assert completed["type"] == "review.completed"
        self._prove(by, incident, "X8")
        by.shows(incident, "recovery", *GATES)
        closed = by.perform(COMMANDER, "close", incident, on="recovery", note="all of it is done")
        assert closed[0]["type"] == "incident.closed"
        assert closed[0]["data"]["disposition"] == "real"
        by.shows(incident, "", "losed")
        reopened = by.performed(COMMANDER, "reopen", incident, on="recovery", reason="the old key was seen again")
        assert reopened["type"] == "incident.reopened"
        state = by.read(f"/incidents/{incident}")
        assert state["incidents"]["lifecycle"]["status"] == "investigating"
        # Everything is kept in the record; that the gates still hold must be said again, by name.
        assert state["recovery"]["gates"] == {}
        kept = {event["data"]["gate"] for event in by.events(incident) if event["type"] == "gate.proven"}
        assert kept == set(GATES)
        by.shows_timeline(incident)

    def test_every_gate_can_be_waived_by_the_business_owner_with_a_reason(self, by: By) -> None:
        incident = self._recovering(by, "waived")
        for gate in GATES:
            assert by.refused(COMMANDER, "closure-waive", incident, gate=gate, reason="no time") == "not-permitted"
            words = f"{gate} is waived: the service is switched off for good"
            waived = by.performed(OWNER, "closure-waive", incident, on="recovery", gate=gate, reason=words)
            assert (waived["type"], waived["gate"]) == ("gate.waived", gate)
            by.shows_together(incident, "recovery", (gate, "waived", words))
        by.perform(COMMANDER, "recovery-verify", incident, on="recovery")
        closed = by.perform(COMMANDER, "close", incident, on="recovery")
        assert closed[0]["type"] == "incident.closed"
        by.shows_timeline(incident)

    def test_a_false_positive_needs_evidence_and_a_second_person_and_closes_without_gates(self, by: By) -> None:
        incident = by.staged("false alarm")
        assert by.refused(
            COMMANDER, "disposition-propose", incident, disposition="false_positive", reason="a drill"
        ) == ("refutation-needed")
        proposed = by.performed(
            COMMANDER, "disposition-propose", incident, on="recovery",
            disposition="false_positive", reason="it was our own drill", citations=["ev-1"],
        )  # fmt: skip
        assert (proposed["type"], proposed["disposition"]) == ("disposition.proposed", "false_positive")
        assert by.refused(COMMANDER, "disposition-confirm", incident) == "second-person-needed"
        confirmed = by.performed(SECOND, "disposition-confirm", incident, on="recovery")
        assert (confirmed["type"], confirmed["proposed_by"]) == ("disposition.confirmed", COMMANDER)
        closed = by.perform(COMMANDER, "close", incident, on="recovery")
        assert closed[0]["data"]["disposition"] == "false_positive"
        by.shows(incident, "", "alse")
        by.shows_timeline(incident)

    def test_a_duplicate_names_the_incident_that_goes_on(self, by: By) -> None:
        first, incident = by.declare(name="The one that goes on"), by.declare(name="The one that repeats it")
        by.performed(
            COMMANDER, "disposition-propose", incident, on="recovery",
            disposition="duplicate_of", reason="the same alert", target=first,
        )  # fmt: skip
        confirmed = by.performed(SECOND, "disposition-confirm", incident, on="recovery")
        assert (confirmed["disposition"], confirmed["target"]) == ("duplicate_of", first)
        closed = by.perform(COMMANDER, "close", incident, on="recovery")
        assert closed[0]["data"]["disposition"] == "duplicate_of"
        by.shows(incident, "recovery", first)
        by.shows_timeline(incident)

    def test_an_unknown_root_cause_is_an_answer_with_its_rationale(self, by: By) -> None:
        incident = by.staged("no cause")
        unknown = by.performed(
            LEAD, "cause-unknown", incident, on="recovery", rationale="the logs of that week are gone", cites=["ev-1"]
        )
        assert unknown["type"] == "cause.unknown"
        self._prove(by, incident, "X1")
        none = by.performed(
            LEAD, "credential-none", incident, on="recovery", reason="only public data was touched", cites=["ev-1"]
        )
        assert none["type"] == "credential.none_affected"
        by.shows(incident, "recovery", "the logs of that week are gone", "only public data was touched")
        by.shows_timeline(incident)

    def _recovering(self, by: By, family: str) -> str:
        incident = by.staged(family)
        if by.read(f"/incidents/{incident}/post")["header"]["status"] == "investigating":
            for status in ("contained", "recovering"):
                changed = by.performed(
                    LEAD, "status-set", incident, on="recovery", status=status, reason=f"it is {status}, we looked"
                )
                assert (changed["type"], changed["status"]) == ("status.changed", status)
        return incident

    def _prove(self, by: By, incident: str, gate: str, person: str = COMMANDER) -> None:
        words = f"{gate} holds: we looked at what is cited"
        proven = by.performed(
            person, "closure-prove", incident, on="recovery", gate=gate, statement=words, cites=["ev-1"]
        )
        assert (proven["type"], proven["gate"]) == ("gate.proven", gate)
        assert [one["evidence"] for one in proven["citations"]] == ["ev-1"]
        by.shows_together(incident, "recovery", (gate, "proven", words))

    def _x1(self, by: By, incident: str) -> None:
        assert by.refused(COMMANDER, "closure-prove", incident, gate="X1", statement="so", cites=["ev-1"]) == (
            "gate-not-provable"
        )
        self._stated(by, incident, "cause-identify", "cause.identified", "the key was in a public repository")
        self._prove(by, incident, "X1")

    def _x2(self, by: By, incident: str) -> None:
        self._stated(by, incident, "path-close", "path.closed", "the key is blocked at the provider")
        self._stated(by, incident, "path-verify", "path.verified", "the old key was tried and refused", KEEPER)
        self._prove(by, incident, "X2")

    def _x3(self, by: By, incident: str) -> None:
        listed = by.performed(LEAD, "credential-list", incident, on="recovery", name="export key of payments")
        settled = by.performed(
            LEAD, "credential-settle", incident, on="recovery",
            credential=listed["credential_id"], outcome="rotated", cites=["ev-1"],
        )  # fmt: skip
        assert (settled["type"], settled["outcome"]) == ("credential.settled", "rotated")
        by.shows(incident, "recovery", "export key of payments", "rotated")
        self._prove(by, incident, "X3")

    def _x4(self, by: By, incident: str) -> None:
        for part, name in GATES["X4"].parts.items():
            settled = by.performed(
                LEAD, "revalidate-settle", incident, on="recovery", part=part, standing="done", cites=["ev-1"]
            )
            assert (settled["type"], settled["part"], settled["standing"]) == (
                "revalidation.part_settled", part, "done",
            )  # fmt: skip
            by.shows_together(incident, "recovery", (name, "done", "ev-1"))
        self._prove(by, incident, "X4")

    def _stated(self, by: By, incident: str, use_case: str, kind: str, words: str, person: str = LEAD) -> None:
        stated: dict[str, Any] = by.performed(
            person, use_case, incident, on="recovery", statement=words, cites=["ev-1"]
        )
        assert stated["type"] == kind
        by.shows(incident, "recovery", words)
