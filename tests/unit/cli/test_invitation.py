"""A fresh installation on the command line, up to the link with which somebody signs in on the pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import build


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HOLDFAST_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOLDFAST_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("HOLDFAST_URL", "http://localhost:8377")
    monkeypatch.delenv("HOLDFAST_SERVER", raising=False)
    runner = CliRunner()
    assert runner.invoke(build(), ["init", "ana"]).exit_code == 0
    return runner


def test_an_invitation_is_printed_as_a_link_that_a_browser_opens(fresh: CliRunner) -> None:
    said = fresh.invoke(build(), ["account", "invite", "ana"])
    assert said.exit_code == 0
    assert "http://localhost:8377/welcome#hf_invite_" in said.stdout
    told = json.loads(fresh.invoke(build(), ["account", "invite", "ana", "--json"]).stdout)
    assert told["result"]["invitation"].startswith("hf_invite_")


def test_input_that_does_not_fit_points_to_the_help_of_that_very_command(fresh: CliRunner) -> None:
    assert fresh.invoke(build(), ["declare", "a name"]).exit_code == 0
    said = fresh.invoke(build(), ["severity", "raise", "INC-2026-0001", "SEV-9", "--reason", "it got worse"])
    assert said.exit_code == 2
    assert "holdfast severity raise --help" in said.stderr
    assert "openapi" not in said.stderr
