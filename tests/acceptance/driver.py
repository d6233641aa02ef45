"""What every surface can do in these tests, and the ledger of what its record says was done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.acceptance.installation import COMMANDER, COMMUNICATOR, KEEPER, LEAD, OWNER, SECOND, Installation
from tests.acceptance.ledger import Ledger

Json = dict[str, Any]


class RefusedHere(Exception):  # noqa: N818 - it is what the surface said, not a failure of the test
    """The surface refused, with the product's own stable code."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code = code
        self.said = said


class Surface(Protocol):
    """One way to use Holdfast, as one of several people."""

    name: str

    def declare(self, person: str, **fields: Any) -> str:
        """Declare an incident; its id."""
        ...

    def act(self, person: str, use_case: str, incident: str, on: str, fields: Mapping[str, Any]) -> Json:
        """Carry out a use case; what the surface hands over besides (tokens, texts)."""
        ...

    def capture(self, person: str, incident: str, path: Path, kind: str, source: str | None) -> None:
        """Add a file as evidence."""
        ...

    def rendered(self, person: str, incident: str, section: str) -> str:
        """What a person reads of a section."""
        ...

    def rows(self, person: str, incident: str, section: str) -> list[str]:
        """The smallest things the section shows: rows, or the objects that stand for them."""
        ...

    def sentences(self, person: str, incident: str) -> dict[int, str]:
        """The timeline as shown: number of the entry to its words."""
        ...

    def gate(self, person: str, incident: str, scope: str, containment_pass: str | None = None) -> str:
        """Ask whether a destructive change may go ahead: go or frozen."""
        ...


@dataclass
class By:
    """A surface under test, with the record read back after every act."""

    surface: Surface
    installation: Installation
    ledger: Ledger = field(default_factory=Ledger)
    seen: dict[str, int] = field(default_factory=dict)
    said: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    """(incident, entry) to the fields of the act that recorded it."""
    handed: Json = field(default_factory=dict)
    """What the last act handed over: ids, and what is shown only once."""
    _staged: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """api, cli or page."""
        return self.surface.name

    def declare(self, person: str = COMMANDER, **fields: Any) -> str:
        """Declare through the surface."""
        incident = self.surface.declare(person, **fields)
        self._take(person, incident, fields)
        return incident

    def perform(self, person: str, use_case: str, incident: str, *, on: str = "", **fields: Any) -> list[Json]:
        """Carry out a use case through the surface; the events it added to the record."""
        self.catch_up(incident)
        self.handed = self.surface.act(person, use_case, incident, on, fields)
        return self._take(person, incident, fields)

    def performed(self, person: str, use_case: str, incident: str, *, on: str = "", **fields: Any) -> Json:
        """Like :meth:`perform`, for an act that records one event (and whom it tells): its data, type and seq."""
        recorded = self.perform(person, use_case, incident, on=on, **fields)
        events = [event for event in recorded if event["type"] != "notice.given"]
        assert len(events) == 1, [event["type"] for event in events]
        return {"type": events[0]["type"], "seq": events[0]["seq"], **events[0]["data"]}

    def refused(self, person: str, use_case: str, incident: str, *, on: str = "", **fields: Any) -> str:
        """The stable code the surface refuses with; nothing was recorded."""
        self.catch_up(incident)
        before = self.seen[incident]
        try:
            self.surface.act(person, use_case, incident, on, fields)
        except RefusedHere as refusal:
            code = refusal.code
        else:
            message = f"{self.name} did not refuse {use_case}"
            raise AssertionError(message)
        assert not [event for event in self.events(incident, before) if event["actor"]["id"] == person]
        return code

    def capture(self, person: str, incident: str, words: str, kind: str = "log", source: str | None = None) -> str:
        """Add a file with these words through the surface; the item's id."""
        self.catch_up(incident)
        path = self.installation.folder / f"{self.name}-{hashlib.sha256(words.encode()).hexdigest()[:12]}.log"
        path.write_text(words + "\n", encoding="utf-8")
        self.surface.capture(person, incident, path, kind, source)
        (event,) = self._take(person, incident, {"name": path.name})
        assert event["type"] == "evidence.collected"
        assert event["data"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert event["data"]["kind"] == kind
        evidence_id: str = event["data"]["evidence_id"]
        return evidence_id

    def events(self, incident: str, after: int = -1) -> list[Json]:
        """The record itself, as anybody may read it back."""
        found: list[Json] = self.read(f"/incidents/{incident}/events", after=after)["events"]
        return found

    def read(self, path: str, **params: Any) -> Json:
        """A read through the API, whatever the surface is."""
        headers = {"Authorization": f"Bearer {self.installation.tokens[COMMANDER]}"}
        answer = _CLIENT.get(f"{self.installation.url}/api/v1{path}", params=params, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())

    def catch_up(self, incident: str) -> None:
        """Forget what the system recorded meanwhile, such as a clock that was missed."""
        events = self.events(incident, self.seen.get(incident, -1))
        if events:
            self.seen[incident] = events[-1]["seq"]

    def _take(self, person: str, incident: str, fields: Mapping[str, Any]) -> list[Json]:
        events = self.events(incident, self.seen.get(incident, -1))
        assert events, f"{self.name}: the record did not grow"
        self.seen[incident] = events[-1]["seq"]
        mine = [event for event in events if event["actor"]["id"] == person]
        for event in mine:
            self.said[incident, event["seq"]] = fields
        self.ledger.take(mine)
        return mine

    def board(self, incident: str) -> dict[str, dict[str, str]]:
        """Line to part to standing, as the record makes it; parts that are not open count as performed."""
        lines = self.read(f"/incidents/{incident}/post")["board"]
        self.ledger.take_board(lines)
        return {line["id"]: {part["key"]: part["standing"] for part in line["parts"]} for line in lines}

    def token(self) -> str:
        """The secret that the last act showed once."""
        found = [str(value) for value in _leaves(self.handed) if len(str(value)) > 40]
        assert len(found) == 1, "exactly one thing is shown once"
        return found[0]

    def staged(self, family: str, **fields: Any) -> str:
        """An incident with its five roles filled and one piece of evidence (``ev-1``), made once for a family."""
        if family not in self._staged:
            incident = self.declare(name=f"{family} by {self.name}", answers=["production_secret=confirmed"], **fields)
            self.perform(COMMANDER, "command-take", incident)
            for role, account in STAFF.items():
                self.perform(COMMANDER, "role-assign", incident, role=role, account=account)
            self.capture(KEEPER, incident, f"audit log for {family} by {self.name}")
            self._staged[family] = incident
        return self._staged[family]

    def shows(self, incident: str, section: str, *words: str, person: str = COMMANDER) -> None:
        """Every one of the words is read on the section, as this surface shows it."""
        text = " ".join(self.surface.rendered(person, incident, section).split())
        missing = [word for word in words if " ".join(word.split()) not in text]
        assert not missing, f"{self.name}, {section}: {missing} not in: {text[:1500]}"

    def shows_together(self, incident: str, section: str, *groups: tuple[str, ...], person: str = COMMANDER) -> None:
        """The words of each group are read in one row of the section, not merely somewhere on it."""
        rows = [row.replace("_", " ").lower() for row in self.surface.rows(person, incident, section)]
        short = [row for row in rows if len(row) < ROW]
        for group in groups:
            wanted = [word.replace("_", " ").lower() for word in group]
            assert any(all(word in row for word in wanted) for row in short), f"{self.name}, {section}: {group}"

    def shows_timeline(self, incident: str, person: str = SECOND) -> None:
        """Everything this surface did here stands on its timeline, with who, what and the words."""
        shown = self.surface.sentences(person, incident)
        for event in self.events(incident):
            if (incident, event["seq"]) in self.said:
                sentence = shown.get(event["seq"], "")
                wanted = list(expected_words(event, self.said[incident, event["seq"]]))
                # Keys may be shown as words: cloud_audit_events as "cloud audit events".
                missing = [word for word in wanted if word not in sentence and word.replace("_", " ") not in sentence]
                entry = f"{self.name} #{event['seq']} {event['type']}"
                assert sentence, f"{entry} is not shown"
                assert not missing, f"{entry}: {missing} in {sentence!r}"


ROW = 3000
"""Characters: what is longer is a page, not a row. A row holds its folded forms, with their hints."""
IDENTITY = (
    "line", "part", "question", "step", "gate", "prompt", "standing", "level", "rule", "role", "impact", "answer",
    "output", "claim_id", "update_id", "credential_id", "escalation", "decision", "action_id", "freeze_id",
    "pass_id", "decision_id", "evidence_id",
)  # fmt: skip
"""What of an event's data says which thing it is about; each has to be readable wherever the event is shown."""
SPOKEN = ("statement", "rationale", "text", "action", "answer", "name")
"""Sealed fields whose words are the entry itself."""


def expected_words(event: Json, fields: Mapping[str, Any]) -> Iterable[str]:
    """What a person must find in the entry of an event."""
    data = event["data"]
    if event["type"] in ("incident.declared", "update.drafted", "update.revised", "update.sent", "update.approved"):
        # Their words stand on their own sections; the entry says that it was done.
        yield from [data["update_id"]] if "update_id" in data else []
        return
    for name in IDENTITY:
        if isinstance(data.get(name), str) and not (name == "decision" and event["type"] != "escalation.decided"):
            yield data[name]
    for name in SPOKEN:
        if isinstance(data.get(name), dict) and isinstance(fields.get(name), str):
            yield " ".join(fields[name].split())


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value


STAFF: Mapping[str, str] = {
    "technical_lead": LEAD,
    "communications_lead": COMMUNICATOR,
    "evidence_owner": KEEPER,
    "business_owner": OWNER,
}
_CLIENT = httpx.Client(timeout=30)
