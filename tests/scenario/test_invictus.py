"""A whole incident over the real logs of one cloud account: captured, counted, cited, closed, packed, verified.

The logs are 55 CloudTrail files of a laboratory account in which attack techniques were run (see the README beside
them). Everything is said over HTTP to a server that this test starts; the numbers in the answers are counted here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.app.capturing import Captured, Labels
from holdfast.demo.people import Cast, Done, Person, gather
from holdfast.demo.server import Server, prepare
from holdfast.demo.story import in_minutes
from holdfast.demo.trail import files, records, time_of
from holdfast.kernel.instants import format_instant
from tests.scenario.packs import ROOT, Event, events_of, members, verify_alone, verify_with_holdfast

LOGS = ROOT.parent / "shared" / "data" / "invictus_aws" / "CloudTrail"
EVENTS, FILES = 2900, 55
"""As the README beside the logs counts them."""
PLAY = "play-1"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not LOGS.is_dir(), reason=f"the real logs are not here: {LOGS}"),
]


@dataclass(frozen=True)
class Counted:
    """What the logs hold."""

    first: datetime
    last: datetime
    users: int
    roles: int
    keys: tuple[str, ...]
    """Long-lived keys that were used."""
    stopped: int
    """Attempts on the trail itself."""


def count(folder: Path) -> Counted:
    found = list(records(folder))
    assert len(found) == EVENTS
    assert len(files(folder)) == FILES
    names = [record["eventName"] for record in found]
    keys = {record["userIdentity"].get("accessKeyId") or "" for record in found}
    return Counted(
        first=min(map(time_of, found)),
        last=max(map(time_of, found)),
        users=names.count("CreateUser"),
        roles=names.count("CreateRole"),
        keys=tuple(sorted(key for key in keys if key.startswith("AKIA"))),
        stopped=names.count("StopLogging") + names.count("DeleteTrail"),
    )


@dataclass
class Incident:
    """The incident while it is worked on."""

    cast: Cast
    seen: Counted
    trail: Captured

    def does(self, who: str, path: str, /, **fields: object) -> Done:
        return self.cast.people[who].does(path, **fields)

    @property
    def cites(self) -> list[str]:
        return [self.trail.evidence_id]


@dataclass(frozen=True)
class Ended:
    """What is left when everything is over."""

    pack: Path
    keys: Path
    events: list[Event]
    seen: Counted
    trail: Captured


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    place = prepare(tmp_path_factory.mktemp("invictus"), os.environ)
    with Server(place) as server:
        cast = gather(place, server.first_link)
        try:
            seen = count(LOGS)
            declare(cast, seen)
            incident = Incident(cast, seen, capture(cast.people["dora"]))
            for act in (investigate, contain, tell, recover, review_and_close):
                act(incident)
            pack = place.folder / "invictus.tar"
            written = cast.types("ana", "pack", cast.people["ana"].incident, "-o", str(pack))
            assert written.returncode == 0, written.stderr
            keys = place.folder / "keys.txt"
            listed = cast.people["ana"].remote.request("GET", "/keys")["verifier_keys"]
            keys.write_text("\n".join(listed), encoding="utf-8")
            yield Ended(pack, keys, events_of(pack), seen, incident.trail)
        finally:
            cast.close()


def declare(cast: Cast, seen: Counted) -> None:
    fields = {
        "name": "Administrator's keys used in bursts",
        "play": "cloud-admin",
        "detected_at": format_instant(seen.last),
        "started_at": format_instant(seen.first),
        "started_basis": "evidenced",
        "reported_by": "A review of old logs",
        "reported_when": "At the review",
        "affected_systems": "The cloud account and what runs in it",
        "suspected_impact": "An administrator may not be who they seem",
        "evidence_in_hand": "The account's log folder",
        "answers": ["cloud_admin=confirmed", "attacker_in_production=confirmed", "data_left=suspected"],
        "customer_data": "suspected",
        "production_availability": "no",
        "privileged_access": "confirmed",
    }
    done = cast.people["ben"].sends("/incidents", fields)
    assert done.result["assessment"]["level"] == "SEV-1"
    cast.on(str(done.result["incident"]))
    ana = cast.people["ana"]
    ana.does("command take")
    for role, account in (
        ("technical_lead", "ben"),
        ("communications_lead", "chen"),
        ("evidence_owner", "dora"),
        ("business_owner", "eli"),
    ):
        ana.does("role assign", role=role, account=account)
    ana.does("freeze decline", reason="These logs are of a past night; nothing runs any more.")


def capture(dora: Person) -> Captured:
    trail = dora.captures(LOGS, Labels(source="cloud_audit_events"))
    assert trail.contents == FILES
    assert trail.shortfalls == ()
    dora.does("board settle", line="F5", part="cloud_audit_events", cites=[trail.evidence_id])
    for part in (
        "ci_logs",
        "deployment_history",
        "identity_provider_logs",
        "host_metadata",
        "application_logs",
    ):
        reason = "Nothing but the cloud's logs was kept of that night."
        dora.does("board settle", line="F5", part=part, standing="unreachable", reason=reason)
    return trail


def investigate(incident: Incident) -> None:
    seen, cites = incident.seen, incident.cites
    unknown = "The logs of that source were not kept."
    done = {
        "I1": ("infrastructure", "access_grants"),
        "I2": ("humans", "service_accounts", "workload_identities"),
        "I3": ("answer",),
        "I4": ("read", "modify", "delete"),
        "I5": ("persistence", "repeated_access"),
        "I6": ("answer",),
        "I7": (),
    }
    otherwise = {
        "I1": ("deployments", "vendor_changes"),
        "I2": ("ci_tokens", "deploy_keys", "break_glass_accounts"),
        "I4": ("export",),
        "I5": ("lateral_movement",),
    }
    answers = {
        "I1": f"{seen.users} users and {seen.roles} roles were created within the hour.",
        "I2": f"{len(seen.keys)} long-lived keys were used, among {EVENTS:,} events.",
        "I3": "The account's own services accept the keys; whatever assumes its roles trusts them too.",
        "I4": "Secrets and parameters were read and deleted; the logs name each.",
        "I5": f"{seen.users} users were created, and removed again within the hour.",
        "I6": f"{EVENTS:,} events in {FILES} files, {format_instant(seen.first)} to {format_instant(seen.last)}; "
        f"{seen.stopped} calls went against the trail itself.",
    }
    for question, parts in done.items():
        for part in parts:
            incident.does("ben", "question settle", question=question, part=part, cites=cites)
        for part in otherwise.get(question, ()):
            incident.does("ben", "question settle", question=question, part=part, standing="unknown", reason=unknown)
        if question in answers:
            incident.does("ben", "question answer", question=question, answer=answers[question], cites=cites)
    incident.does("ben", "question unknown", question="I7", reason="The account is gone; nothing can be tried in it.")


def contain(incident: Incident) -> None:
    cites, now = incident.cites, format_instant(datetime.now(UTC))
    decision = {"action": "Disable the administrator's keys", "owner": "ben"}
    incident.does("ana", "contain decide", **decision, destroys_nothing=True, undo="Set them active again.")
    parts: dict[str, tuple[str, ...]] = {
        "CA1": ("result",),
        "CA2": ("control_plane_logs",),
        "CA3": ("users", "keys", "roles", "policies", "network_paths", "snapshots", "images"),
        "CA4": ("access_keys", "federated_roles"),
        "CA5": ("credentials_rotated", "baseline_validated"),
    }
    missing = {"CA2": ("identity_provider_logs",), "CA3": ("forwarding_rules",), "CA4": ("oauth_apps", "ci_secrets")}
    outputs = {
        "CA1": {"measure": "disabled", "at": now},
        "CA2": {"from": format_instant(incident.seen.first), "to": format_instant(incident.seen.last)},
        "CA4": {"persistence": "cannot_tell", "cannot_tell_because": "Consents and CI secrets leave no trace here."},
        "CA5": {"baseline": "The account as its definition says", "deviations": "None left"},
    }
    for step, named in parts.items():
        place = {"play_id": PLAY, "step": step}
        for part in named:
            incident.does("ben", "step settle", **place, part=part, cites=cites)
        for part in missing.get(step, ()):
            reason = "The cloud's logs do not show it."
            incident.does("ben", "step settle", **place, part=part, standing="unreachable", reason=reason)
        for output, value in outputs.get(step, {}).items():
            incident.does("ben", "step record", **place, output=output, value=value)
        if step == "CA3":
            found = f"{incident.seen.users} users"
            incident.does("ben", "step record", **place, output="findings", value=found, cites=cites)
        incident.does("ben", "step done", **place)
    incident.does("ana", "status set", status="contained", reason="The keys are disabled.")


def tell(incident: Incident) -> None:
    claim = incident.does("ben", "claim state", text="Secrets of the account were read.", kind="impact").result["claim"]
    incident.does("dora", "claim confirm", claim=claim, cites=incident.cites)
    draft = incident.does("chen", "update draft", audience="executives", next_update_at=in_minutes(60)).result
    for approver in ("ana", "eli"):
        incident.does(approver, "update approve", update=draft["update"], text_hash=draft["text_hash"])
    incident.does("chen", "update send", update=draft["update"], where="call")


def recover(incident: Incident) -> None:
    cites = incident.cites
    incident.does("ana", "status set", status="recovering", reason="What remains is checking.")
    incident.does("ben", "cause unknown", rationale="Who held the keys is not in the logs.", cites=cites)
    incident.does("ben", "path close", statement="The keys are disabled.", cites=cites)
    incident.does("dora", "path verify", statement="No use after the last hour of the logs.", cites=cites)
    for key in incident.seen.keys:
        listed = incident.does("ben", "credential list", name=f"Access key …{key[-4:]}").result["credential"]
        incident.does("ben", "credential settle", credential=listed, outcome="revoked", cites=cites)
    for part in ("artifacts", "images", "deployments"):
        reason = "The account builds and deploys nothing."
        incident.does("ben", "revalidate settle", part=part, standing="not_applicable", reason=reason)
    incident.does("ben", "monitor add", indicator="New users in bursts", where="Cloud alarm", cites=cites)
    for gate in ("X1", "X2", "X3", "X4", "X5"):
        incident.does("ben", "closure prove", gate=gate, statement="The logs show it.", cites=cites)
    incident.does("ana", "recovery verify")


def review_and_close(incident: Incident) -> None:
    cites = incident.cites
    for escalation in ("customer", "legal", "contractual"):
        incident.does("eli", "escalation decide", escalation=escalation, decision="no", reason="A laboratory account.")
    due = in_minutes(72 * 60)
    decided = incident.does(
        "eli", "escalation decide", escalation="regulatory", decision="yes", to="The authority", due_at=due
    )
    notification = decided.result["notification"]
    incident.does("eli", "escalation receipt", notification=notification, receipt="Taken by phone", cites=cites)
    incident.does("eli", "closure prove", gate="X6", statement="Decided, told.", cites=cites)
    day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    incident.does("ana", "action assign", text="Alarm on bursts of new users", owner="ben", due=day)
    incident.does("ana", "closure prove", gate="X7", statement="One action, owned and dated.", cites=cites)
    incident.does("ana", "review start")
    for prompt in ("V1", "V2", "V3", "V4", "V5", "V6"):
        incident.does("ana", "review answer", prompt=prompt, text="As the logs show.", cites=cites)
    incident.does("ana", "review complete")
    incident.does("ana", "closure prove", gate="X8", statement="Complete and in time.", cites=cites)
    incident.does("ana", "close")


def test_the_pack_verifies_with_holdfast_and_alone(ended: Ended) -> None:
    said = verify_with_holdfast(ended.pack, "--pinned-keys", str(ended.keys))
    assert (said.returncode, "authentic" in said.stdout) == (0, True), said.stderr
    alone = verify_alone(ended.pack, "--key", ended.keys.read_text(encoding="utf-8"))
    assert (alone.returncode, "authentic" in alone.stdout) == (0, True), alone.stdout


def test_every_log_file_is_in_the_pack_byte_for_byte(ended: Ended) -> None:
    packed = members(ended.pack, f"data/evidence/{ended.trail.evidence_id}/contents/")
    assert sorted(packed.values()) == sorted(path.read_bytes() for path in files(LOGS))
    assert sum(len(json.loads(content)["Records"]) for content in packed.values()) == EVENTS


def test_every_answer_but_the_unknown_one_cites_the_captured_logs(ended: Ended) -> None:
    answered = {
        event["data"]["question"]: event["data"] for event in ended.events if event["type"] == "question.answered"
    }
    assert sorted(answered) == ["I1", "I2", "I3", "I4", "I5", "I6", "I7"]
    assert answered.pop("I7")["standing"] == "unknown"
    cited = {"evidence": ended.trail.evidence_id, "sha256": ended.trail.sha256}
    assert all(data["standing"] == "answered" and data["citations"] == [cited] for data in answered.values())


def test_every_gate_is_proven_and_the_incident_is_closed(ended: Ended) -> None:
    gates = sorted(event["data"]["gate"] for event in ended.events if event["type"] == "gate.proven")
    assert gates == ["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"]
    types = [event["type"] for event in ended.events]
    assert "incident.closed" in types
    assert types.count("step.done") == 5
    assert types[-1] == "evidence.exported"
