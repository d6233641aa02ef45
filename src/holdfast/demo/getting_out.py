"""Scenes of containment, of telling others, and of the handover (F6, LS3 to LS5, C1, C2, R1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from holdfast.app.capturing import Labels
from holdfast.demo.finding_out import PLAY
from holdfast.demo.first_minutes import late_capture
from holdfast.demo.inputs import write_refusals, write_rollout
from holdfast.demo.people import PIPELINE
from holdfast.demo.story import Show, in_minutes
from holdfast.demo.surroundings import WORKLOADS, Surroundings
from holdfast.demo.trail import STRANGERS_USER, examine, write_containment
from holdfast.kernel.errors import DamagedError
from holdfast.kernel.instants import format_instant


def decide(show: Show) -> None:
    """The first containment action, its owner, what it destroys, how to undo it (F6)."""
    show.act(
        "ana",
        "contain decide",
        "decides the first containment: ben disables both keys; undo: set them active again.",
        action=f"Disable the payments key ending in {show.leak.ending} and the new key of user {STRANGERS_USER}",
        owner="ben",
        destroys_nothing=True,
        undo="Set the keys active again; they are not deleted.",
        review_at=in_minutes(60),
    )
    show.act(
        "eli",
        "decide",
        "decides for the business: receipts may be late tonight rather than read by strangers.",
        text="Payments may write receipts late tonight.",
        rejected="Waiting until morning: the reads go on.",
        known="Receipts are being read; three workloads will fail for some minutes.",
    )
    _outputs(
        show,
        "LS3",
        {
            "procedure": "Rotation of payments' access key, version 3 of the team's handbook",
            "approved_by": "ben",
            "action": "rotated",
        },
    )


def contain(show: Show) -> None:
    """Evidence first: the step is refused until the last source is captured. Then it is done, through the freeze."""
    show.quietly("ben", "step settle", play_id=PLAY, step="LS3", cites=show.cited("freeze"))
    show.quietly("ben", "step record", play_id=PLAY, step="LS3", output="at", value=format_instant(datetime.now(UTC)))
    refusal = show.person("ben").is_refused("step done", "evidence-at-risk", play_id=PLAY, step="LS3")
    show.teller.says("ben", "is about to rotate the key, and Holdfast refuses:")
    show.teller.aside(refusal.why, rest=1.5)
    late_capture(show)
    issued = show.act(
        "ana",
        "freeze pass",
        "issues a signed pass, so that containment gets through the freeze.",
        scope="prod/payments",
        issued_to=PIPELINE,
        expires_at=in_minutes(60),
        max_uses=3,
        reason="Roll out the new key of payments",
    )
    passed = show.cast.types(
        PIPELINE,
        "gate",
        "--scope",
        "prod/payments",
        "--pass-file",
        "-",
        "--pipeline",
        PIPELINE,
        said=str(issued.result["token"]),
    )
    if passed.returncode != 0:
        raise DamagedError(
            "demo-pass-refused",
            "The demo stops: a containment pass did not open the way.",
            why=passed.stderr.strip() or passed.stdout.strip(),
            next_step="This is a defect of Holdfast; see: holdfast gate --help",
        )
    show.teller.says(
        PIPELINE, f"shows the pass: {passed.stdout.strip().splitlines()[0]} (exit 0). Its use is on record."
    )
    _disable(show)


def _disable(show: Show) -> None:
    """Both keys end; what shows it is captured, and the step can be done."""
    revoked = datetime.now(UTC)
    show.values["revoked_at"] = format_instant(revoked)
    write_containment(show.place.inputs / "cloudtrail-after", show.cloud, revoked)
    refusals = show.place.inputs / "refusals.jsonl"
    write_refusals(refusals, {"payments": show.leak.key_id, STRANGERS_USER: show.cloud.strangers_key}, revoked)
    dora = show.person("dora")
    show.cites["after"] = dora.captures(
        show.place.inputs / "cloudtrail-after", Labels(source="cloud_audit_events")
    ).evidence_id
    after = show.place.inputs / "account-after"
    Surroundings(after, show.cloud).write_account(after, keys={"payments": "Inactive", STRANGERS_USER: "Inactive"})
    show.cites["account-after"] = dora.captures(after, Labels()).evidence_id
    show.cites["refused"] = dora.captures(refusals, Labels(kind="command_history")).evidence_id
    show.quietly("ben", "step settle", play_id=PLAY, step="LS3", cites=show.cited("after"))
    show.quietly("ben", "step record", play_id=PLAY, step="LS3", output="at", value=show.values["revoked_at"])
    show.act(
        "ben",
        "step done",
        "disables both keys; the old one is refused by the cloud (acted), and dora captures that.",
        play_id=PLAY,
        step="LS3",
    )


def window(show: Show) -> None:
    """The logs of the whole window, and the workloads on the new key (LS4, LS5)."""
    found = show.findings
    left = examine(show.place.inputs / "cloudtrail-after", show.leak.key_id)
    uses = (
        f"{len(found.strange)} uses by {', '.join(found.strangers)}, {len(found.followed)} by the key it made; "
        f"{left.uses} uses since. Before {format_instant(found.first)} there are no logs."
    )
    for output, value in (
        ("revoked_at", show.values["revoked_at"]),
        ("findings", uses),
    ):
        show.quietly("ben", "step record", play_id=PLAY, step="LS4", output=output, value=value)
    show.quietly("ben", "step record", play_id=PLAY, step="LS4", output="logs", cites=show.cited("trail", "after"))
    show.quietly("ben", "step settle", play_id=PLAY, step="LS4", cites=show.cited("trail", "after"))
    show.act(
        "ben",
        "step done",
        f"closes the window from exposure to revocation: {_days(show)} days, logs for the last of them.",
        play_id=PLAY,
        step="LS4",
    )
    workloads(show)


def workloads(show: Show) -> None:
    """The workloads on the new key, and the question whether it would work again (LS5, I7)."""
    file = show.place.inputs / "rollout.jsonl"
    write_rollout(file, dict.fromkeys(WORKLOADS, "new key"), datetime.now(UTC))
    show.cites["rollout"] = show.person("ben").captures(file, Labels(kind="log")).evidence_id
    for part in ("updated", "verified"):
        show.quietly("ben", "step settle", play_id=PLAY, step="LS5", part=part, cites=show.cited("rollout"))
    for workload in WORKLOADS:
        show.quietly(
            "ben",
            "step record",
            play_id=PLAY,
            step="LS5",
            output="restarted",
            value=workload,
            cites=show.cited("rollout"),
        )
    show.act(
        "ben",
        "step done",
        f"brings {len(WORKLOADS)} workloads onto the new key, each with the proof of its restart.",
        play_id=PLAY,
        step="LS5",
    )
    exploitable(show)
    show.quietly("ben", "task done", task_id=show.values["task"], cites=show.cited("after"))
    show.quietly(
        "ben",
        "moment assert",
        moment="contained",
        at=show.values["revoked_at"],
        how="evidenced",
        cites=show.cited("after"),
    )
    show.act(
        "ana",
        "status set",
        "moves the status to contained.",
        status="contained",
        reason="Both keys are refused, every workload is on the new one.",
    )


def exploitable(show: Show) -> None:
    """I7, from what was captured after the containment; and what the new captures changed (I7)."""
    told = show.investigates("ben")
    changed = told.get("changes", {}).get("answers", {})
    show.adopts("ben", "I7", told)
    show.teller.says("ben", "has the evidence read again, with what was captured since, and confirms I7:")
    show.teller.aside(str(told["answers"]["I7"]["sentence"]), rest=1.5)
    show.teller.aside(f"Against the run before, the answers to {', '.join(changed) or 'nothing'} have changed.")


def tell(show: Show) -> None:
    """Updates for responders, executives and customers, each approved by the right people (C1, C2)."""
    show.quietly(
        "ana", "task assign", owner="ben", action="Watch both keys and the receipts bucket", due=in_minutes(120)
    )
    promise = in_minutes(60)
    drafted = show.act(
        "chen",
        "update draft",
        "drafts the update for responders from the record: eight fields, the open hypothesis marked as one.",
        audience="responders",
        next_update_at=promise,
    )
    for line in str(drafted.result["text"]).splitlines()[:8]:
        show.teller.aside(line, rest=0.3)
    _send(show, drafted.result, ("ana",), "the incident's room")
    executives = show.quietly("chen", "update draft", audience="executives", next_update_at=promise)
    _send(show, executives.result, ("ana", "eli"), "call with the duty executive")
    show.teller.says("chen", "tells executives the facts only; ana and eli approved exactly that text.")
    open_claim = show.values["open_claim"]
    refusal = show.person("chen").is_refused(
        "update draft",
        "update-rests-on-unconfirmed",
        audience="customers",
        next_update_at=promise,
        claims=[open_claim],
        happened="Backups were read.",
        affected="Backups.",
        action="Nothing.",
    )
    show.teller.says("chen", f"tries to rest the customers' text on {open_claim}; refused:")
    show.teller.aside(refusal.why)
    customers = show.quietly(
        "chen",
        "update draft",
        audience="customers",
        next_update_at=promise,
        claims=[show.values["claim-read"], show.values["claim-means"]],
        happened="An unauthorised person found an access key of ours and used it. We have disabled that key.",
        affected="That person read some of your receipts. Receipts show names, dates and amounts, not cards.",
        action="You need not do anything now. Be careful with messages that mention a receipt.",
    )
    _send(show, customers.result, ("ana", "eli"), "status page and mail to affected customers")
    show.teller.says(
        "chen", "tells customers what happened, what is affected, what to do and when the next update comes."
    )


def hand_over(show: Show) -> None:
    """Command moves in two steps, with a brief that writes itself (R1)."""
    show.act(
        "ana",
        "handover propose",
        "asks fay to take command; the brief writes itself from the record.",
        to="fay",
        note="Both keys are dead; the notifications are with eli.",
    )
    refusal = show.person("fay").is_refused("status set", "not-permitted", status="recovering", reason="Ready.")
    show.teller.aside(f"Until fay accepts, ana commands: {refusal.why}")
    show.act("fay", "handover accept", "reads the brief and accepts. Only now has command moved.")


def _send(show: Show, drafted: object, approvers: tuple[str, ...], where: str) -> None:
    assert isinstance(drafted, dict)
    for approver in approvers:
        show.quietly(approver, "update approve", update=drafted["update"], text_hash=drafted["text_hash"])
    sent = show.quietly("chen", "update send", update=drafted["update"], where=where)
    show.cites[f"sent-{drafted['update']}"] = sent.cite


def _outputs(show: Show, step: str, values: dict[str, str]) -> None:
    for output, value in values.items():
        show.quietly("ben", "step record", play_id=PLAY, step=step, output=output, value=value)


def _days(show: Show) -> int:
    exposed = datetime.fromisoformat(show.values["exposed_at"])
    return (datetime.now(UTC) - exposed) // timedelta(days=1)
