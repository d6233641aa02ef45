"""Scenes of recovery, review and closure (LS6, X1 to X8, R5, V1 to V6)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from holdfast.app.capturing import Labels
from holdfast.demo.finding_out import PLAY
from holdfast.demo.inputs import git
from holdfast.demo.story import Show, in_minutes
from holdfast.demo.trail import STRANGERS_USER
from holdfast.kernel.errors import DamagedError

RULE = "rules/secret-keys.toml"
PATTERN = r"SECRET_[A-Z_]+=[A-Za-z0-9/+]{40}"


def prevent(show: Show) -> None:
    """A scanning rule goes into the repository, after it has caught the leaked sample (LS6)."""
    sample = git(show.repository, "cat-file", "blob", show.values["leak_object"])
    if re.search(PATTERN.encode(), sample) is None:
        raise DamagedError(
            "demo-rule-blind",
            "The demo stops: its scanning rule does not catch the leaked sample.",
            why="The pattern does not match the file that was committed.",
            next_step="This is a defect of the demo.",
        )
    file = show.repository / RULE
    file.parent.mkdir()
    file.write_text(f'[[rule]]\nid = "cloud-secret-key"\nbefore = "push"\npattern = \'{PATTERN}\'\n', encoding="utf-8")
    git(show.repository, "add", "--all")
    git(show.repository, "commit", "--quiet", "--message", "Refuse pushes that hold a secret key", at=datetime.now(UTC))
    show.cites["rule"] = show.person("ben").captures(file, Labels(kind="file")).evidence_id
    for output, value in (("kind", "scanning_rule"), ("action", "ben: pushes that hold a secret key are refused.")):
        show.quietly("ben", "step record", play_id=PLAY, step="LS6", output=output, value=value)
    show.quietly("ben", "step settle", play_id=PLAY, step="LS6", cites=show.cited("rule"))
    show.act(
        "ben",
        "step done",
        "adds a rule that refuses such pushes, and caught the leaked file; with LS6 the play is complete.",
        play_id=PLAY,
        step="LS6",
    )
    show.act(
        "fay",
        "status set",
        "moves the status to recovering.",
        status="recovering",
        reason="The rest is rebuilding and checking.",
    )


def technical(show: Show) -> None:
    """Cause, path, credentials, revalidation, monitoring (X1 to X5)."""
    refusal = show.person("fay").is_refused("recovery verify", "recovery-blocked")
    show.teller.says("fay", "tries to call the recovery verified, and is told what is missing:")
    show.teller.aside(refusal.why[:300])
    show.quietly(
        "ben",
        "cause identify",
        cites=show.cited("leak"),
        statement="A long-lived key was committed to a repository that is public, and nothing stopped the push.",
    )
    show.quietly(
        "ben", "path close", statement="Both keys are disabled, older sessions are denied.", cites=show.cited("after")
    )
    show.quietly("dora", "path verify", statement="Both keys were tried and refused.", cites=show.cited("refused"))
    for name, outcome in (
        (f"payments, …{show.leak.ending}", "rotated"),
        (f"{STRANGERS_USER}, made by the stranger", "revoked"),
    ):
        listed = show.quietly("ben", "credential list", name=name)
        show.quietly(
            "ben",
            "credential settle",
            credential=str(listed.result["credential"]),
            outcome=outcome,
            cites=show.cited("after"),
        )
    for part in ("artifacts", "images", "deployments"):
        show.quietly("ben", "revalidate settle", part=part, cites=show.cited("pods" if part == "images" else "rollout"))
    show.quietly(
        "ben",
        "monitor add",
        indicator="Any use of the two old keys",
        where="Cloud alarm, to the duty phone",
        cites=show.cited("rule"),
    )
    show.quietly(
        "ben",
        "monitor add",
        indicator="A push that holds a secret key",
        where="Code host, to the payments channel",
        cites=show.cited("rule"),
    )
    _prove(show)


def _prove(show: Show) -> None:
    """Names under X1 to X5, and the recovery verified."""
    for gate, statement, name in (
        ("X1", "The commit shows it.", "leak"),
        ("X2", "Closed, and the attempt was refused.", "refused"),
        ("X3", "Both keys are settled.", "after"),
        ("X4", "Everything that runs was rolled out anew.", "rollout"),
        ("X5", "Two indicators are watched.", "rule"),
    ):
        show.quietly("ben", "closure prove", gate=gate, statement=statement, cites=show.cited(name))
    show.teller.says("ben", "proves X1 to X5: cause, path closed and tried, both keys, what runs, what watches.")
    show.act("fay", "recovery verify", "verifies the recovery as commander; the review's five business days start.")
    show.act("fay", "freeze lift", "lifts the freeze.", freeze_id="freeze-1", reason="What runs is what should run.")
    show.quietly("fay", "watch start", what="Use of either old key", until=in_minutes(60 * 24 * 7))


def duties(show: Show) -> None:
    """The business owner's four escalations with their receipts, and corrective actions (R5, X6, X7)."""
    updates = show.person("chen").reads()["communications"]["updates"]
    told = next(name for name, update in updates.items() if update["audience"] == "customers")
    for kind, to, hours, receipt, cite in (
        ("customer", "Customers whose receipts were read", 24, "Mail sent, delivery report kept", f"sent-{told}"),
        ("legal", "Counsel on call", 4, "Counsel took the call and opened a file", None),
        ("regulatory", "Data protection authority", 72, "Portal receipt 2026/1184", None),
    ):
        decided = show.quietly(
            "eli", "escalation decide", escalation=kind, decision="yes", to=to, due_at=in_minutes(60 * hours)
        )
        show.quietly(
            "eli",
            "escalation receipt",
            notification=str(decided.result["notification"]),
            receipt=receipt,
            cites=[] if cite is None else show.cited(cite),
        )
    show.quietly(
        "eli", "escalation decide", escalation="contractual", decision="no", reason="No contract names receipts."
    )
    show.teller.says(
        "eli", "decides the four escalations: three notified with receipts, one not needed, with the reason."
    )
    _afterwards(show, told)


def _afterwards(show: Show, told: str) -> None:
    """A hold, corrective actions, the last update, and X6 and X7."""
    show.quietly("eli", "hold place", reason="Counsel asks to keep everything while the authority's file is open.")
    again = show.quietly("dora", "evidence reverify", evidence_id=show.cites["trail"]).result
    show.teller.says("eli", "places a legal hold on the whole incident.")
    show.teller.says("dora", f"hashes all {again['objects']} objects of the log folder again: {again['outcome']}.")
    due = (datetime.now(UTC) + timedelta(days=21)).date().isoformat()
    for text, owner in (
        ("Move payments to workload identity", "ben"),
        ("Log reads of objects in every bucket", "dora"),
    ):
        show.quietly("fay", "action assign", text=text, owner=owner, due=due)
    show.teller.says("fay", f"assigns two corrective actions, each with one owner and a date ({due}).")
    last = show.quietly("chen", "update draft", audience="responders")
    show.quietly("fay", "update approve", update=last.result["update"], text_hash=last.result["text_hash"])
    show.act(
        "chen",
        "update send",
        "sends the last update; after a verified recovery it need not promise another.",
        update=last.result["update"],
        where="the incident's room",
    )
    show.quietly(
        "eli",
        "closure prove",
        gate="X6",
        statement="Everybody who had to be told was.",
        cites=show.cited(f"sent-{told}"),
    )
    show.quietly(
        "fay", "closure prove", gate="X7", statement="Two actions with owners and dates.", cites=show.cited("rule")
    )


def review(show: Show) -> None:
    """The six prompts; one improvement becomes a default (V1 to V6, X8)."""
    found = show.findings
    show.quietly("fay", "review start")
    for prompt, who, text, names in (
        ("V1", "ben", "The code host's secret scanning, twenty-one days after the commit.", ("leak",)),
        (
            "V2",
            "ana",
            "Faster: one log folder for everything. Slower: nobody knew which workloads hold the key.",
            ("trail",),
        ),
        (
            "V3",
            "dora",
            "The freeze stopped a deployment; the trail could not be stopped by the stranger.",
            ("freeze", "trail"),
        ),
        ("V4", "ben", "That a laptop deployment harms nobody, and that removing a line removes a secret.", ("leak",)),
        (
            "V5",
            "dora",
            f"Reads of objects before {found.data_events_since:%H:%M} UTC, and all logs before the last day.",
            ("trail",),
        ),
        ("V6", "fay", "Pushes that hold a secret key are refused everywhere, not only at payments.", ("rule",)),
    ):
        show.quietly(who, "review answer", prompt=prompt, text=text, cites=show.cited(*names))
    show.teller.says(
        "fay", "leads the review; six prompts are answered by those who were there, each citing the record."
    )
    proposed = show.quietly("fay", "default propose", text="Refuse pushes that hold a secret key", owner="ben")
    show.act(
        "ben",
        "default adopt",
        "makes the rule a default of the platform.",
        default=str(proposed.result["default"]),
        cites=show.cited("rule"),
    )
    show.quietly("fay", "review complete")
    done = show.quietly(
        "fay", "closure prove", gate="X8", statement="The review is complete, in time.", cites=show.cited("rule")
    )
    show.cites["review"] = done.cite


def close(show: Show) -> None:
    """Closed, and what the record says of itself."""
    show.act("fay", "close", "closes the incident: eight gates are proven, none is waived.")
    refusal = show.person("olga").is_refused("message post", "not-permitted", text="Well done.")
    show.teller.says("olga", f"may read all of it, and write nothing: {refusal.why}")
    events = show.person("olga").reads("/events")["events"]
    if show.leak.secret.reveal().decode() in json.dumps(events):
        raise DamagedError(
            "demo-secret-stored",
            "The demo stops: the leaked secret is in the record.",
            why="An event holds it in the clear.",
            next_step="This is a defect of Holdfast; delete demo-data.",
        )
    show.teller.aside(f"The record holds {len(events)} events, and the leaked secret in none of them.")
