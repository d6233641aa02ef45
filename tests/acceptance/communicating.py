"""C1 and C2, and the claims they rest on, through one surface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.acceptance.driver import By
from tests.acceptance.expected import CONTENTS, FIELDS
from tests.acceptance.installation import COMMANDER, COMMUNICATOR, KEEPER, LEAD, OWNER


def ahead(minutes: int) -> datetime:
    """So many minutes from now, to the minute: what a text can say exactly."""
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes)


class Communications:
    """Updates and claims."""

    def test_c1_an_update_is_written_from_the_record_in_its_eight_fields(self, by: By) -> None:
        incident = by.staged("C1")
        fact = by.performed(
            LEAD, "claim-state", incident, on="claims", kind="impact", text="Orders of one day were readable"
        )
        assert (fact["type"], fact["kind"]) == ("claim.stated", "impact")
        guess = by.performed(
            LEAD, "claim-state", incident, on="claims", kind="impact", text="Perhaps the backups were read as well"
        )
        confirmed = by.performed(KEEPER, "claim-confirm", incident, on="claims", claim=fact["claim_id"], cites=["ev-1"])
        assert (confirmed["type"], confirmed["claim_id"]) == ("claim.confirmed", fact["claim_id"])
        started = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)
        stated = by.performed(
            COMMANDER, "time-state", incident, moment="started", at=started.isoformat(), reason="first bad sign-in"
        )
        assert stated["type"] == "time.stated"
        by.performed(COMMANDER, "task-assign", incident, owner=LEAD, action="Block the key", due=ahead(90).isoformat())
        promise = ahead(60)
        drafted = by.performed(
            COMMUNICATOR, "update-draft", incident, on="updates",
            audience="responders", next_update_at=promise.isoformat(),
        )  # fmt: skip
        update = drafted["update_id"]
        assert (drafted["type"], drafted["audience"]) == ("update.drafted", "responders")
        assert drafted["claims"] == [fact["claim_id"], guess["claim_id"]]
        lines = [
            "Incident: " + f"C1 by {by.name}",
            "Severity: SEV-2",
            "Status: Investigating",
            f"Started: {started:%Y-%m-%d %H:%M} UTC",
            f"Commander: {COMMANDER}",
            "Known impact: Orders of one day were readable.",
            f"Current actions: {LEAD}: Block the key",
            f"Next update: {promise:%Y-%m-%d %H:%M} UTC",
        ]
        text = self._text(by, incident, update)
        assert text.splitlines()[:8] == lines
        assert [line.partition(":")[0] for line in lines] == list(FIELDS)
        assert text.splitlines()[8] == ""
        assert "Hypotheses" in text.splitlines()[9]
        self._approve_and_send(by, incident, update, [COMMANDER])
        by.ledger.take_text("C1", [line.partition(":")[0] for line in text.splitlines()[:8]])
        by.shows(incident, "updates", *lines)
        by.shows_timeline(incident)

    def test_c1_the_promise_of_the_next_update_is_a_clock(self, by: By) -> None:
        incident = by.staged("promise")
        drafted = by.performed(
            COMMUNICATOR, "update-draft", incident, on="updates",
            audience="responders", next_update_at=ahead(45).isoformat(),
        )  # fmt: skip
        self._approve_and_send(by, incident, drafted["update_id"], [COMMANDER])
        clocks = by.read(f"/incidents/{incident}/post")["clocks"]
        clock = next(one for one in clocks if one["key"] == "update-responders")
        assert (clock["running"], clock["runbook"]) == (True, "C1")
        if by.name == "page":
            by.shows(incident, "", "Next update", "promised for")
        else:
            by.shows(incident, "", "Next update to responders", clock["until"])

    def test_c2_customers_are_told_four_things_and_confirmed_facts_only(self, by: By) -> None:
        incident = by.staged("C2")
        impact = by.performed(
            LEAD, "claim-state", incident, on="claims", kind="impact", text="The order history service was affected"
        )["claim_id"]
        guess = by.performed(
            LEAD, "claim-state", incident, on="claims", kind="cause", text="A former supplier may have kept the key"
        )["claim_id"]
        by.performed(KEEPER, "claim-confirm", incident, on="claims", claim=impact, cites=["ev-1"])
        promise = ahead(120)
        told = {
            "happened": "Somebody used a key of ours that should not have left us.",
            "affected": "The order history service.",
            "action": "Change your password, and watch your orders.",
            "next_update_at": promise.isoformat(),
            "audience": "customers",
        }
        assert by.refused(COMMUNICATOR, "update-draft", incident, **told, claims=[impact, guess]) == (
            "update-rests-on-unconfirmed"
        )
        assert by.refused(
            COMMUNICATOR,
            "update-draft",
            incident,
            audience="customers",
            claims=[impact],
            next_update_at=promise.isoformat(),
        ) == ("customer-contents-missing")
        drafted = by.performed(COMMUNICATOR, "update-draft", incident, on="updates", **told, claims=[impact])
        update = drafted["update_id"]
        text = self._text(by, incident, update)
        headings = [line for line in text.splitlines() if line in CONTENTS]
        assert headings == list(CONTENTS)
        assert f"By {promise:%Y-%m-%d %H:%M} UTC." in text
        self._approve_and_send(by, incident, update, [COMMANDER, OWNER])
        by.ledger.take_text("C2", headings)
        by.shows(incident, "updates", *CONTENTS, told["happened"], told["affected"], told["action"])
        by.shows_timeline(incident)

    def test_c2_a_guess_put_into_words_for_customers_is_not_approved(self, by: By) -> None:
        incident = by.staged("guess")
        impact = by.performed(LEAD, "claim-state", incident, kind="impact", text="The search service was affected")[
            "claim_id"
        ]
        by.performed(LEAD, "claim-state", incident, kind="cause", text="A former supplier kept the key")
        by.performed(KEEPER, "claim-confirm", incident, claim=impact, cites=["ev-1"])
        update = by.performed(
            COMMUNICATOR, "update-draft", incident, on="updates", audience="customers", claims=[impact],
            happened="A former supplier kept the key.", affected="The search service.", action="Nothing.",
            next_update_at=ahead(60).isoformat(),
        )["update_id"]  # fmt: skip
        seen = self._commitment(by, incident, update)
        assert by.refused(OWNER, "update-approve", incident, update=update, text_hash=seen) == "update-wording-blocked"

    def test_hypotheses_compete_are_disproved_and_facts_are_retracted_with_a_correction(self, by: By) -> None:
        incident = by.staged("claims")
        fact, other = (
            by.performed(LEAD, "claim-state", incident, on="claims", kind=kind, text=text)["claim_id"]
            for kind, text in (("impact", "Invoices were readable"), ("actor", "An insider did it"))
        )
        marked = by.performed(
            LEAD, "claim-mark", incident, on="claims", claim=other, cite="ev-1", consistency="inconsistent"
        )
        assert (marked["type"], marked["consistency"]) == ("matrix.marked", "inconsistent")
        disproved = by.performed(
            KEEPER, "claim-disprove", incident, on="claims", claim=other, reason="they were on leave"
        )
        assert (disproved["type"], disproved["claim_id"]) == ("claim.disproved", other)
        by.performed(KEEPER, "claim-confirm", incident, on="claims", claim=fact, cites=["ev-1"])
        update = by.performed(
            COMMUNICATOR, "update-draft", incident, on="updates",
            audience="executives", next_update_at=ahead(60).isoformat(),
        )["update_id"]  # fmt: skip
        self._approve_and_send(by, incident, update, [COMMANDER, OWNER])
        retracted = by.perform(
            KEEPER, "claim-retract", incident, on="claims", claim=fact, reason="they were test invoices"
        )
        assert [event["type"] for event in retracted] == ["claim.retracted", "correction.owed"]
        correction = retracted[1]["data"]["correction_id"]
        corrected = by.performed(
            COMMUNICATOR, "update-draft", incident, on="updates",
            audience="executives", next_update_at=ahead(90).isoformat(),
        )["update_id"]  # fmt: skip
        self._approve_and_send(by, incident, corrected, [COMMANDER, OWNER])
        settled = by.performed(
            COMMUNICATOR, "correction-settle", incident, on="claims", correction=correction, update=corrected
        )
        assert (settled["type"], settled["correction_id"]) == ("correction.settled", correction)
        by.shows(incident, "claims", "An insider did it", "they were on leave", "they were test invoices")
        by.shows_timeline(incident)

    def _approve_and_send(self, by: By, incident: str, update: str, approvers: list[str]) -> None:
        seen = self._commitment(by, incident, update)
        for person in approvers:
            approved = by.performed(person, "update-approve", incident, on="updates", update=update, text_hash=seen)
            assert (approved["type"], approved["text_hash"]) == ("update.approved", seen)
        sent = by.performed(
            COMMUNICATOR, "update-send", incident, on="updates", update=update, where="mailing list of the audience"
        )
        assert (sent["type"], sent["update_id"], sent["text_hash"]) == ("update.sent", update, seen)

    def _commitment(self, by: By, incident: str, update: str) -> str:
        """The hash of the text as it stands: what an approval is bound to."""
        events = [event for event in by.events(incident) if event["type"] in ("update.drafted", "update.revised")]
        return str([one for one in events if one["data"]["update_id"] == update][-1]["data"]["text"]["commitment"])

    def _text(self, by: By, incident: str, update: str) -> str:
        return str(by.read(f"/incidents/{incident}")["communications"]["updates"][update]["text"]["text"])
