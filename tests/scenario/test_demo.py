"""The demo as somebody runs it: a process of its own in an empty folder."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import httpx
import pytest

from tests.scenario.packs import (
    Event,
    events_of,
    flipped,
    member,
    members,
    plain_environment,
    verify_alone,
    verify_with_holdfast,
)

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Played:
    """A run that ended."""

    folder: Path
    pack: Path
    lines: list[str]
    events: list[Event]

    @property
    def data(self) -> Path:
        return self.folder / "demo-data"

    @property
    def keys(self) -> str:
        return str(self.data / "pinned-keys.txt")


def _demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "holdfast.demo", "--exit"],
        cwd=folder,
        env=plain_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    ended = _demo(folder)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    last = re.fullmatch(r"pack: (.+\.tar)", lines[-1])
    assert last is not None, lines[-1]
    pack = Path(last[1])
    return Played(folder, pack, lines, events_of(pack))


def of(played: Played, event_type: str) -> list[Event]:
    return [event for event in played.events if event["type"] == event_type]


def told(played: Played, event_type: str, field: str) -> list[str]:
    return [event["data"][field] for event in of(played, event_type)]


def test_the_pack_is_accepted_by_both_verifiers_against_the_pinned_key(played: Played) -> None:
    key = Path(played.keys).read_text(encoding="utf-8").strip()
    for said in (
        verify_with_holdfast(played.pack, "--pinned-keys", played.keys),
        verify_alone(played.pack, "--key", key),
    ):
        assert said.returncode == 0, said.stderr
        assert "authentic" in said.stdout


def test_without_a_key_neither_verifier_calls_the_pack_authentic(played: Played) -> None:
    for said in (verify_with_holdfast(played.pack), verify_alone(played.pack)):
        assert said.returncode == 0, said.stderr
        assert "signer unproven" in said.stdout
        assert "authentic" not in said.stdout


@pytest.mark.parametrize("path", ["data/record/events.jsonl", "data/report/report.html", "VERIFY.txt"])
def test_a_tampered_copy_is_refused_by_both_verifiers(played: Played, tmp_path: Path, path: str) -> None:
    copy = flipped(played.pack, tmp_path / "copy.tar", path)
    for said in (verify_with_holdfast(copy), verify_alone(copy)):
        assert said.returncode == 9
        assert "refused" in said.stdout + said.stderr


def test_the_pack_brings_the_verifier_of_this_repository(played: Played) -> None:
    repository = Path(__file__).resolve().parents[2] / "verify_pack.py"
    assert member(played.pack, "verify_pack.py") == repository.read_bytes()


def test_the_first_fifteen_minutes_happen_in_order(played: Played) -> None:
    order = [
        "incident.declared",
        "command.assumed",
        "freeze.ordered",
        "evidence.collected",
        "containment.decided",
        "step.done",
    ]
    firsts = [next(event["seq"] for event in played.events if event["type"] == wanted) for wanted in order]
    assert firsts[:5] == sorted(firsts[:5])
    parts = {event["data"]["part"] for event in of(played, "board.part_settled") if event["data"]["line"] == "F5"}
    assert parts == {
        "cloud_audit_events",
        "ci_logs",
        "deployment_history",
        "identity_provider_logs",
        "host_metadata",
        "application_logs",
    }


def test_every_step_question_gate_and_prompt_of_the_runbook_is_performed(played: Played) -> None:
    assert told(played, "step.done", "step") == ["LS1", "LS2", "LS3", "LS4", "LS5", "LS6"]
    assert sorted(told(played, "question.answered", "question")) == ["I1", "I2", "I3", "I4", "I5", "I6", "I7"]
    assert sorted(told(played, "gate.proven", "gate")) == ["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"]
    assert sorted(told(played, "review.answered", "prompt")) == ["V1", "V2", "V3", "V4", "V5", "V6"]
    assert of(played, "gate.waived") == []


def test_every_part_is_settled_and_what_is_not_done_has_its_reason(played: Played) -> None:
    parts = [(event["data"]["step"], event["data"]["part"]) for event in of(played, "step.part_settled")]
    assert {part for step, part in parts if step == "LS2"} == {
        "source_control",
        "ci_logs",
        "artifact_registries",
        "chat",
        "ticket_systems",
        "paste_locations",
    }
    questions = [(event["data"]["question"], event["data"]["part"]) for event in of(played, "question.part_settled")]
    assert [
        len({part for question, part in questions if question == wanted}) for wanted in ("I1", "I2", "I4", "I5")
    ] == [
        4,
        6,
        4,
        3,
    ]
    for event in of(played, "step.part_settled") + of(played, "question.part_settled"):
        data = event["data"]
        assert (data["standing"] == "done") == bool(data["citations"])
        assert data["standing"] == "done" or data["reason"] is not None


def test_severity_roles_and_command_move_as_the_runbook_says(played: Played) -> None:
    assert told(played, "severity.set", "level") == ["SEV-2"]
    assert told(played, "severity.raised", "level") == ["SEV-1"]
    assert sorted(told(played, "role.assigned", "role")) == [
        "business_owner",
        "communications_lead",
        "evidence_owner",
        "technical_lead",
    ]
    assert len(of(played, "handover.proposed")) == 1
    assert len(of(played, "handover.accepted")) == 1


def test_updates_reach_three_audiences_and_every_escalation_is_decided(played: Played) -> None:
    assert sorted(told(played, "update.sent", "audience")) == ["customers", "executives", "responders", "responders"]
    assert sorted(told(played, "escalation.decided", "escalation")) == [
        "contractual",
        "customer",
        "legal",
        "regulatory",
    ]
    assert len(of(played, "notification.receipted")) == 3
    assert len(of(played, "claim.confirmed")) == 2
    assert len(of(played, "claim.disproved")) == 1


def test_the_freeze_stopped_a_pipeline_and_a_pass_let_containment_through(played: Played) -> None:
    assert any("frozen by INC-" in line and "exit 10" in line for line in played.lines)
    assert len(of(played, "pass.used")) == 1
    assert len(of(played, "freeze.lifted")) == 1


def test_the_incident_ends_closed_and_its_export_is_recorded_in_the_pack(played: Played) -> None:
    types = [event["type"] for event in played.events]
    assert types.index("recovery.verified") < types.index("incident.closed")
    assert types[-1] == "evidence.exported"


def test_the_leaked_secret_is_in_the_repository_and_nowhere_else(played: Played) -> None:
    shown = subprocess.run(
        ["git", "log", "-p", "--format=", "--", "deploy/settings.env"],
        cwd=played.data / "inputs" / "payments",
        capture_output=True,
        check=True,
    ).stdout
    found = re.search(rb"SECRET_[A-Z_]+=(\S+)", shown)
    assert found is not None
    secret = found[1]
    elsewhere = [path for folder in ("data", "keys") for path in (played.data / folder).rglob("*") if path.is_file()]
    elsewhere += [played.pack, played.data / "server.log"]
    assert [path for path in elsewhere if secret in path.read_bytes()] == []
    assert secret.decode() not in "\n".join(played.lines)
    assert all(secret not in content for content in members(played.pack, "data/evidence/").values())


def test_a_folder_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "demo-data"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("four years of work", encoding="utf-8")
    ended = _demo(tmp_path)
    assert ended.returncode == 2
    assert "was not made by the demo" in ended.stderr
    assert (foreign / "thesis.txt").read_text(encoding="utf-8") == "four years of work"


def test_an_address_in_use_is_told_in_words_and_no_server_stays(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = _demo(tmp_path, HOLDFAST_LISTEN=f"127.0.0.1:{port}")
    assert ended.returncode == 8
    assert "Traceback" not in ended.stderr
    assert f"127.0.0.1:{port} cannot be listened on" in ended.stderr
    assert "Next:" in ended.stderr


def test_the_server_stays_until_interrupted_and_the_link_signs_in(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "holdfast.demo", "--pace", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        try:
            assert demo.stdout is not None
            lines = list(takewhile(lambda line: line != "Ctrl-C stops the server.\n", demo.stdout))
            assert demo.poll() is None, demo.communicate()
            (link,) = re.findall(r"http://localhost:\d+/welcome#\S+", "".join(lines))
            url = link.partition("/welcome")[0]
            assert httpx.get(f"{url}/api/v1/health").json()["ok"] is True
            with httpx.Client(base_url=url, follow_redirects=True) as browser:
                assert "Welcome, visitor" in browser.post("/welcome/link", data={"link": link}).text
        finally:
            demo.send_signal(signal.SIGINT)
            rest, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0, errors
    assert rest.splitlines()[-1].startswith("pack: ")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/api/v1/health")
