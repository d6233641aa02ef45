"""Scenes of the first fifteen minutes: declare, command, freeze, capture (F1 to F5)."""

from __future__ import annotations

from datetime import timedelta

from holdfast.app.capturing import Captured, Labels
from holdfast.app.ports_capture import CommandOrder
from holdfast.demo.inputs import git_environment
from holdfast.demo.people import PIPELINE
from holdfast.demo.story import Show, in_minutes
from holdfast.kernel.errors import DamagedError
from holdfast.kernel.instants import format_instant

FROZEN = 10
"""The gate's exit code, as ``holdfast exit-codes`` lists it."""


def declare(show: Show) -> None:
    """Ben declares, Ana takes command, the roles are filled (F1, F2, F3, S2, R1 to R5)."""
    ben = show.person("ben")
    noticed = show.cloud.now - timedelta(minutes=3)
    done = ben.sends(
        "/incidents",
        {
            "name": "Cloud key of payments is public",
            "play": "leaked-secret",
            "detected_at": format_instant(noticed),
            "reported_by": "The code host's secret scanning; read by ben, on call for payments.",
            "reported_when": f"Alert at {format_instant(noticed)}, read at once.",
            "affected_systems": "The payments service, its receipts bucket, the repository payments.",
            "suspected_impact": "Somebody could read receipts with this key. Nothing is known to be down.",
            "evidence_in_hand": "The alert in the channel of payments; nothing else yet.",
            "production_availability": "no",
            "production_availability_reason": "Every probe of payments is green.",
        },
    )
    incident = str(done.result["incident"])
    show.cast.on(incident)
    show.values["incident"] = incident
    show.teller.says("ben", f"declares {incident} from the alert: one form, five answers, the rest unknown.")
    show.teller.aside(str(done.result["assessment"]["reason"]), rest=1.5)
    show.act("ana", "command take", 'presses "I command"; until then ben was only acting.')
    for role, account in (
        ("technical_lead", "ben"),
        ("communications_lead", "chen"),
        ("evidence_owner", "dora"),
        ("business_owner", "eli"),
    ):
        show.quietly("ana", "role assign", role=role, account=account)
    show.teller.says(
        "ana", "makes ben technical lead, chen communications lead, dora evidence owner, eli business owner."
    )
    show.act(
        "ana", "impact state", "states that customer data may be affected.", impact="customer_data", answer="suspected"
    )
    hello = show.act(
        "ana",
        "message post",
        "opens the room: “Everything here, please. @dora evidence, @ben the key.”",
        text="Everything here, please. @dora evidence first, @ben the key.",
    )
    show.quietly("ana", "message pin", entry=hello.first)


def slip(show: Show) -> None:
    """Ben pastes the secret into the room by mistake; it is taken out before anything is stored."""
    line = b"AWS_SECRET_" + b"ACCESS_KEY=" + show.leak.secret.reveal()
    done = show.act(
        "ben",
        "message post",
        "pastes the leaked line into the room, by mistake.",
        text="This is what is in the file: " + line.decode(),
    )
    if not done.notices:
        raise DamagedError(
            "demo-secret-stored",
            "The demo stops: a secret was stored.",
            why="A message held a secret access key, and Holdfast did not take it out.",
            next_step="This is a defect of Holdfast; delete demo-data.",
        )
    notice = done.notices[0]
    show.values["fingerprint"] = notice["fingerprint"]
    show.teller.aside(f"Holdfast stored it as [redacted {notice['rule']} fp:{notice['fingerprint']}], and told him.")


def freeze(show: Show) -> None:
    """A pipeline asks before and after the freeze (F4)."""
    before = show.person(PIPELINE).remote.request("GET", "/gate", params={"scope": "prod/payments"})
    show.teller.says(PIPELINE, f"asks the gate before it deploys: {before['words']}.")
    done = show.act(
        "ana",
        "freeze order",
        "freezes destructive changes on prod for four hours; the status page stays free.",
        scopes=["prod"],
        exceptions=["prod/status-page"],
        expires_at=in_minutes(240),
        reason="A leaked key may be in use; nothing that destroys traces goes out.",
    )
    show.cites["freeze"] = done.cite
    after = show.cast.types(PIPELINE, "gate", "--scope", "prod/payments")
    if before["verdict"] != "go" or after.returncode != FROZEN:
        raise DamagedError(
            "demo-gate-wrong",
            "The demo stops: the freeze gate did not answer as it should.",
            why=f"It said {before['verdict']} before the freeze, and ended with {after.returncode} after it.",
            next_step="This is a defect of Holdfast; see: holdfast gate --help",
        )
    show.teller.says(
        PIPELINE, f"asks again and stops: {after.stdout.strip().splitlines()[0]} (exit {after.returncode})."
    )


def capture(show: Show) -> None:
    """Dora captures five of the six volatile sources; the sixth takes longer (F5, R4)."""
    show.quietly("ana", "board assign", line="F5", owner="dora")
    show.quietly("dora", "board acknowledge", line="F5")
    trail = _captured(show, "trail", show.person("dora").captures(show.logs, Labels(source="cloud_audit_events")))
    show.teller.says("dora", f"captures the cloud's log folder: {trail.contents} files, {trail.contents_size:,} bytes.")
    below = show.place.inputs
    for name, path, source in (
        ("ci", below / "ci-logs", "ci_logs"),
        ("deployments", below / "deployments.json", "deployment_history"),
        ("identity", below / "identity-provider.json", "identity_provider_logs"),
        ("pods", below / "cluster.json", "host_metadata"),
        ("code-host", below / "code-host.jsonl", None),
        ("account", below / "account", None),
    ):
        _captured(
            show, name, show.person("dora").captures(path, Labels(kind=None if path.is_dir() else "log", source=source))
        )
    order = CommandOrder(
        ["git", "log", "--all", "--date=iso-strict", "--format=%H %ad %an %s"],
        git_environment(),
        str(show.repository),
        timeout_seconds=60,
    )
    _captured(show, "history", show.person("dora").captures_command(order, Labels()))
    for name, part in (
        ("trail", "cloud_audit_events"),
        ("ci", "ci_logs"),
        ("deployments", "deployment_history"),
        ("identity", "identity_provider_logs"),
        ("pods", "host_metadata"),
    ):
        show.quietly("dora", "board settle", line="F5", part=part, cites=show.cited(name))
    show.teller.says(
        "dora",
        "captures CI logs, deployments, sign-ins, the code host's log, the cluster's and the account's state, and "
        "the output of git log with its exit status.",
    )
    show.teller.aside("Each has its SHA-256 and its custodian; application logs are still being fetched.")


def late_capture(show: Show) -> None:
    """The sixth source (F5)."""
    _captured(show, "app", show.person("dora").captures(show.place.inputs / "app", Labels(source="application_logs")))
    show.quietly("dora", "board settle", line="F5", part="application_logs", cites=show.cited("app"))
    show.teller.says("dora", "captures the application logs; all six volatile sources are safe now.")


def _captured(show: Show, name: str, taken: Captured) -> Captured:
    if taken.shortfalls:
        raise DamagedError(
            "demo-capture-incomplete",
            "The demo stops: a capture is incomplete.",
            why=f"{name}: {', '.join(taken.shortfalls)}.",
            next_step="Check who may read demo-data/inputs, and that nothing writes there.",
        )
    show.cites[name] = taken.evidence_id
    return taken
