"""``holdfast exposure search --incident``: handed in, listed, taken into the play, all from a terminal."""

from __future__ import annotations

import json
import secrets
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from holdfast import wiring_exposure
from holdfast.cli.main import build
from holdfast.engines.exposure import hardening
from tests.unit.app.plain_search import BROKEN, PlainSearcher


@pytest.fixture
def incident(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An incident on this machine, declared by whoever is enrolled here."""
    for name in ("data", "keys", "cache"):
        monkeypatch.setenv(f"HOLDFAST_{name.upper()}", str(tmp_path / name))
    monkeypatch.setattr(hardening, "no_core_dumps", lambda: True)
    monkeypatch.setattr(hardening, "no_tracebacks", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(wiring_exposure.Kit, "_searcher", lambda _self, _target: PlainSearcher())
    typed("init", "ben")
    return str(json.loads(typed("declare", "A key lies open", "--json").stdout)["incident"])


def typed(*words: str, said: str | None = None) -> Result:
    ended = CliRunner().invoke(build(), list(words), input=said)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


def test_a_report_is_handed_in_listed_and_taken_into_the_play_from_a_terminal(incident: str, tmp_path: Path) -> None:
    secret = "kq9-" + secrets.token_urlsafe(30)
    logs = tmp_path / "ci-logs"
    logs.mkdir()
    (logs / "run-1.log").write_text(f"deploy {secret}\n")
    (logs / BROKEN).write_text("half a log")
    empty = typed("exposure", "list", incident)
    assert f"holdfast exposure search --secret-stdin --incident {incident} TARGET" in empty.stdout
    ran = typed(
        "exposure", "search", "--secret-stdin", "--incident", incident, "--label", "test key", "--visibility", "public",
        str(logs), said=secret,
    )  # fmt: skip
    assert ran.exit_code == 3
    assert f"Kept as ev-1 of {incident}. In 1 file" in ran.stderr
    listed = typed("exposure", "list", incident).stdout
    assert "incomplete In 1 file" in listed
    assert "LS3 Revoke or rotate" in listed
    assert "test key (fp:" in listed
    assert "Look again" in listed
    assert f"Target 1: {logs}, not searched completely" in listed
    assert "run-1.log" in typed("exposure", "list", incident, "--places").stdout
    typed("play", "start", incident, "leaked-secret")
    adopted = typed(
        "exposure", "adopt", incident, "play-1", "--evidence", "ev-1", "--covers", "ci_logs=1", "--json"
    )  # fmt: skip
    assert json.loads(adopted.stdout)["result"]["settled"] == {"ci_logs": "unknown"}
    told = json.loads(typed("exposure", "list", incident, "--json").stdout)
    assert told["result"]["made"] == "elsewhere"
    assert told["result"]["places"][0]["visibility"] == "public"
    said = "".join((ran.stdout, ran.stderr, listed, adopted.stdout, json.dumps(told)))
    assert secret not in said


def test_an_incident_that_is_not_there_refuses_the_report_and_says_so(incident: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("nothing")
    ended = typed(
        "exposure", "search", "--secret-stdin", "--incident", "INC-2026-9999", str(tmp_path / "log"),
        said="kq9-" + secrets.token_urlsafe(30),
    )  # fmt: skip
    assert ended.exit_code == 5
    assert "There is no incident INC-2026-9999 for you" in ended.stderr
