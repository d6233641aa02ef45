"""Scenes of the investigation: the secret, its exposure, its use, the seven questions (LS1, LS2, I1 to I6, S1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from holdfast.app.capturing import Labels
from holdfast.app.ports_capture import CommandOrder
from holdfast.demo.inputs import git_environment
from holdfast.demo.story import Show, in_minutes
from holdfast.demo.trail import BUCKET, examine, time_of
from holdfast.kernel.errors import DamagedError
from holdfast.kernel.instants import format_instant

PLAY = "play-1"


def pin_down(show: Show) -> None:
    """What the key is, and what it was used for by whom (LS1)."""
    show.found = examine(show.logs, show.leak.key_id)
    found = show.findings
    if found.last_valid_use is None or not found.strange:
        raise DamagedError(
            "demo-logs-odd",
            "The demo stops: its logs do not tell the story.",
            why="No use of the key by its owner, or none by a stranger, was found in them.",
            next_step="This is a defect of the demo; run it again.",
        )
    for part, standing, reason, name in (
        ("exact_secret", "done", None, "history"),
        ("scope", "done", None, "trail"),
        ("owner", "done", None, "history"),
        ("last_valid_use", "done", None, "trail"),
    ):
        show.quietly(
            "ben",
            "step settle",
            play_id=PLAY,
            step="LS1",
            part=part,
            standing=standing,
            reason=reason,
            cites=show.cited(name),
        )
    _outputs(
        show,
        "LS1",
        {
            "fingerprint": f"Access key of user payments ending in {show.leak.ending}; fp:{show.values['fingerprint']}",
            "scope": f"Read and write in the bucket {BUCKET}; create keys for user backup (an old policy).",
            "owner": "ben",
            "last_valid_use": format_instant(found.last_valid_use),
        },
    )
    show.act(
        "ben",
        "step done",
        f"names the secret by its ending, …{show.leak.ending}, its scope, its owner, its last valid use.",
        play_id=PLAY,
        step="LS1",
    )
    show.teller.aside(f"{found.events:,} events in {found.files} files were read; the key made {found.uses:,} of them.")


TARGETS = ("payments", "ci-logs", "registry", "chat")
"""What is searched, below the inputs; a repository tells its part of LS2 itself, the others are told."""
_COVERS = {"ci-logs": "ci_logs", "registry": "artifact_registries", "chat": "chat"}


def search(show: Show) -> None:
    """Where the secret got to (LS2): ``holdfast exposure search`` on ben's laptop, its report handed in."""
    ben = show.person("ben")
    told = _searched(show)
    evidence = show.cites["search"] = str(told["evidence_id"])
    found = next(place for place in told["places"] if place["commit"] is not None)
    oid = show.values["leak_object"] = str(found["object"])
    order = CommandOrder(
        ["git", "log", "--all", "--date=iso-strict", "--format=%H %ad %an %s", f"--find-object={oid}"],
        git_environment(),
        str(show.repository),
        timeout_seconds=60,
    )
    show.cites["leak"] = ben.captures_command(order, Labels(name="commits that added or removed it")).evidence_id
    numbers = {str(one["target"]).rpartition("/")[2]: one["number"] for one in told["targets"]}
    totals = told["totals"]
    done = show.act(
        "ben",
        "exposure adopt",
        f"searches {totals['objects']} git objects and {totals['files']} files for the key itself, in every spelling: "
        f"“{told['headline']}”",
        play_id=PLAY,
        evidence=evidence,
        covers=[f"{part}={numbers[name]}" for name, part in _COVERS.items()],
    )
    show.values["exposed_at"] = str(done.result["exposed_at"])
    for part, standing, reason in (
        (
            "ticket_systems",
            "unreachable",
            "The ticket system's export needs its administrator, asked and due in the morning.",
        ),
        ("paste_locations", "unknown", "Code search engines cannot be asked from here without giving them the value."),
    ):
        show.quietly("ben", "step settle", play_id=PLAY, step="LS2", part=part, standing=standing, reason=reason)
    show.quietly("ben", "step done", play_id=PLAY, step="LS2")
    window = told["worklist"]["window"]
    show.teller.aside(f"For LS4: {window['sentence']}")
    show.teller.aside("Tickets: unreachable. Paste sites: unknown. Both say why; neither counts as clean.")


def _searched(show: Show) -> Mapping[str, Any]:
    """Run the command with the key on its standard input; the report as the incident keeps it.

    Raises:
        DamagedError: it did not search everything, or did not find what is there.
    """
    ben = show.person("ben")
    ran = show.cast.types(
        "ben", "exposure", "search", "--secret-stdin", "--label", f"access key …{show.leak.ending}",
        "--push-log", "inputs/pushes.json", "--incident", ben.incident, *(f"inputs/{name}" for name in TARGETS),
        said=show.leak.secret.reveal().decode(),
    )  # fmt: skip
    told: Mapping[str, Any] | None = ben.reads("/exposure")["result"]
    areas = set() if told is None else {place["area"] or place["target"] for place in told["places"]}
    if ran.returncode != 0 or told is None or not {"source_control", "chat", "inputs/registry"} <= areas:
        raise DamagedError(
            "demo-search-odd",
            "The demo stops: the search for the leaked key did not find what is there.",
            why=f"It ended with {ran.returncode}, and found it in: {', '.join(sorted(areas)) or 'nothing'}.",
            next_step="This is a defect of Holdfast; keep demo-data for whoever looks into it.",
        )
    return told


def use(show: Show) -> None:
    """Who used the key; the attacker acts in production, and it becomes a SEV-1 (I2, I4, I5, S1)."""
    found = show.findings
    first, last = time_of(found.strange[0]), time_of(found.strange[-1])
    user = found.created[0][0]
    sentence = (
        f"The key was used from an address never seen before, {first:%H:%M} to {last:%H:%M} UTC: "
        f"{found.reads} reads in one bucket, one new key for user {user}."
    )
    done = show.act(
        "ben",
        "timeline add",
        f"reads in the logs: “{sentence}”",
        text=sentence,
        occurred_at=format_instant(first),
        basis="evidenced",
        source="cloud audit events",
        cites=show.cited("trail"),
    )
    show.cites["use"] = done.cite
    _judge(show, first)


def _judge(show: Show, first: datetime) -> None:
    """What the use of the key means for severity, impact and the measures."""
    show.quietly(
        "ana", "severity answer", answers=["attacker_in_production=confirmed", "data_left=confirmed", "cloud_admin=no"]
    )
    show.teller.says(
        "ana", "answers two open questions of the severity table: an attacker acts in production, and data left."
    )
    raised = show.act(
        "ana",
        "severity raise",
        "agrees with the table: SEV-1.",
        level="SEV-1",
        reason="A stranger reads receipts and has made a key; the table says SEV-1.",
    )
    show.cites["severity"] = raised.cite
    show.quietly("ana", "impact state", impact="customer_data", answer="confirmed")
    show.quietly(
        "ana",
        "impact state",
        impact="privileged_access",
        answer="no",
        reason="Neither key reaches an administrator; the stranger's attempt on the trail was denied.",
    )
    show.quietly(
        "ben",
        "time state",
        moment="started",
        at=format_instant(first),
        basis="evidenced",
        reason="The stranger's first call with the key.",
    )
    show.quietly(
        "ben",
        "moment assert",
        moment="first_malicious_act",
        at=format_instant(first),
        how="evidenced",
        cites=show.cited("trail"),
    )
    show.quietly(
        "ben",
        "moment assert",
        moment="first_signal",
        at=format_instant(show.cloud.now - timedelta(minutes=3)),
        how="observed",
        cites=show.cited("use"),
    )


def claims(show: Show) -> None:
    """Facts, and two hypotheses of which one falls (C1, C2)."""
    found = show.findings
    user = found.created[0][0]
    _fact(show, "read", "impact", f"An unauthorised person read {found.reads} receipts of payments.", "trail")
    _fact(
        show,
        "means",
        "cause",
        "An unauthorised person used an access key that we had left in a public repository.",
        "leak",
    )
    insider = show.quietly(
        "ben", "claim state", text="Somebody of the team read the receipts from home.", kind="actor"
    ).result
    used = show.quietly(
        "ben", "claim state", text=f"The new key of user {user} was used to read backups.", kind="scope"
    ).result
    show.teller.says("ben", "states two facts citing the logs, and two hypotheses.")
    for claim, consistency in ((insider, "inconsistent"), (used, "inconsistent")):
        show.quietly("dora", "claim mark", claim=claim["claim"], cite=show.cites["trail"], consistency=consistency)
    show.act(
        "dora",
        "claim disprove",
        "disproves the first: the address is in no sign-in of the team. It stays in the record.",
        claim=insider["claim"],
        cites=show.cited("identity", "trail"),
    )
    show.values["open_claim"] = str(used["claim"])


def questions(show: Show) -> None:
    """The evidence is read, and ben confirms what it says: each answer cited, or "cannot tell" with its reason."""
    told = show.investigates("ben")
    inputs = told["inputs"]
    show.cites["investigation"] = str(told["evidence_id"])
    show.teller.says(
        "ben",
        f"has Holdfast read what was captured: {inputs['records']:,} records, {inputs['quarantined']:,} not readable, "
        "each named. It answers, and he confirms:",
    )
    for question in ("I1", "I2", "I3", "I4", "I5", "I6"):
        show.adopts("ben", question, told)
        show.teller.aside(f"{question} {told['answers'][question]['sentence']}", rest=0.8)


def tasks(show: Show) -> None:
    """Who does what next (C1's current actions)."""
    done = show.act(
        "ana",
        "task assign",
        "gives ben one next action, due in ten minutes: contain both keys.",
        owner="ben",
        action="Disable both keys by the owner's procedure",
        due=in_minutes(10),
    )
    show.values["task"] = str(done.result["task_id"])
    show.quietly("ben", "task acknowledge", task_id=show.values["task"])


def _fact(show: Show, name: str, kind: str, text: str, cite: str) -> None:
    claim = str(show.quietly("ben", "claim state", text=text, kind=kind).result["claim"])
    show.quietly("dora", "claim confirm", claim=claim, cites=show.cited(cite))
    show.values[f"claim-{name}"] = claim


def _outputs(show: Show, step: str, values: dict[str, str]) -> None:
    for output, value in values.items():
        show.quietly("ben", "step record", play_id=PLAY, step=step, output=output, value=value)
