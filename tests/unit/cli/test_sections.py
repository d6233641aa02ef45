"""Reading an incident's sections on a terminal: short lines, what is missing, the next command."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from holdfast.cli import output
from holdfast.cli.main import build
from holdfast.web.app import create_app
from tests.unit.web.morning import recovering
from tests.unit.web.night import Night


class InProcess:
    """A connection straight into the application, as mara.lind."""

    def __init__(self, night: Night) -> None:
        self.site = create_app(night.app)
        self.site.state.local_viewer = night.who("mara.lind")
        self.url = night.app.settings.url

    def request(self, method: str, path: str, **more: Any) -> Any:
        del more

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.site)
            async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
                return await client.request(method, f"/api/v1{path}")

        answer = asyncio.run(send())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return recovering(tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def server(night: Night) -> InProcess:
    return InProcess(night)


@pytest.fixture(scope="module")
def holdfast() -> typer.Typer:
    return build()


@pytest.fixture
def say(night: Night, server: InProcess, holdfast: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(output, "connect", lambda _: server)
    monkeypatch.setenv("COLUMNS", "200")

    def say(*words: str) -> str:
        group = [words[0], words[1], night.incident, *words[2:]] if words[1:] and words[1].isalpha() else None
        done = CliRunner().invoke(holdfast, group or [words[0], night.incident, *words[1:]])
        assert done.exit_code == 0, done.output
        return done.stdout

    return say


def test_questions_say_what_an_answer_does_not_cover(say: Any, night: Night) -> None:
    said = say("question", "list")
    assert "answered, 1 not done" in said
    assert "I1 Vendor changes: unreachable The vendor answers tomorrow." in said
    assert f"Next: holdfast question settle {night.incident} I2 humans" in said


def test_a_play_names_the_next_step_and_the_evidence_it_would_destroy(say: Any) -> None:
    for said in (say("play", "show"), say("play", "show", "play-1")):
        assert "▶ LS1" in said
        assert "LS3 destroys evidence; not captured yet: Deployment history" in said
        assert "Next: holdfast step settle" in said


def test_claims_are_ranked_and_the_matrix_is_read_row_by_row(say: Any) -> None:
    said = say("claim", "list")
    assert said.index("FACT") < said.index("hypothesis, rank 1") < said.index("disproved")
    assert "ev-2: claim-2 neither, claim-3 neither (decides nothing)" in said


def test_updates_are_overdue_aloud_and_one_is_shown_word_for_word(say: Any) -> None:
    assert "OVERDUE next update promised" in say("update", "list")
    said = say("update", "show", "update-3")
    assert said.startswith("All is fine, nobody was hacked.\n")
    assert "must change: It does not hold the eight fields" in said
    assert "business owner (tomas.vega)" in said


@pytest.mark.parametrize("words", [("gates",), ("closure", "show")])
def test_a_gate_says_who_can_supply_what_is_missing_and_how(say: Any, night: Night, words: tuple[str, ...]) -> None:
    said = say(*words)
    assert "X3 credential-2 is neither rotated, revoked nor recorded as not needed. For the technical lead" in said
    assert f"holdfast credential list {night.incident}" in said
    assert "customer undecided, legal no, regulatory yes" in said


def test_a_review_shows_drafts_with_what_they_cite(say: Any, night: Night) -> None:
    said = say("review", "show")
    assert "Review: 1 of 6 answered" in said
    assert "draft: claim-4 was believed and turned out wrong" in said
    assert f"Next: holdfast review answer {night.incident} V2" in said


def test_measures_say_what_cannot_be_told(say: Any) -> None:
    said = say("measures")
    assert "1 d 16 h 5 min" in said
    assert "cannot be told: First signal missing" in said


def test_each_is_json_for_machines(say: Any) -> None:
    assert json.loads(say("question", "list", "--json"))["answered"] == 1
    assert json.loads(say("measures", "--json"))["moments"][0]["key"] == "first_malicious_act"
