"""What time itself decides is recorded once, and one broken incident stops nobody's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.app import rounds
from tests.house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


def later(house: House, **span: float) -> None:
    house.clock.now += timedelta(**span)  # type: ignore[attr-defined]


def freeze(house: House, incident: str) -> None:
    until = (house.clock() + timedelta(hours=4)).isoformat()
    house.do("ada", "freeze-order", incident, scopes=["prod"], reason="hold", expires_at=until)


def test_a_quiet_round_records_nothing(house: House) -> None:
    house.commanded()
    before = house.app.record.position()
    assert rounds.make(house.app) == 0
    assert house.app.record.position() == before


def test_a_freeze_about_to_lapse_is_warned_of_once(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident)
    later(house, hours=3, minutes=50)
    rounds.make(house.app)
    rounds.make(house.app)
    warned = [event for event in house.events(incident) if event.type == "freeze.warned"]
    assert len(warned) == 1
    assert (warned[0].actor.kind, warned[0].actor.id) == ("system", "holdfast")


def test_a_missed_clock_is_recorded_once_each(house: House) -> None:
    incident = house.commanded()
    later(house, days=2)
    assert rounds.make(house.app) > 0
    missed = [str(event.data) for event in house.events(incident) if event.type == "clock.missed"]
    assert missed
    assert len(set(missed)) == len(missed)
    assert rounds.make(house.app) == 0


def test_a_closed_incident_has_no_clocks_left(house: House) -> None:
    incident = house.commanded()
    told = house.do("ada", "message-post", incident, text="it was the test key")
    fields = {"disposition": "false_positive", "reason": "a test key", "citations": [f"#{told.version}"]}
    house.do("ada", "disposition-propose", incident, **fields)
    house.do("ben", "disposition-confirm", incident)
    house.do("ada", "close", incident)
    assert house.app.states.incident(incident).incidents.status == "closed"
    later(house, days=2)
    assert rounds.make(house.app) == 0


def test_lapsed_sessions_are_forgotten(house: House) -> None:
    value = house.app.signing_in.start_session("ben", "passkey")
    rounds.make(house.app)
    assert house.app.signing_in.viewer(value, session=True)
    later(house, days=1)
    rounds.make(house.app)
    assert house.app.installation_tools.credentials.drop_lapsed(house.clock()) == 0


def test_an_incident_that_cannot_be_read_stops_nobody_elses_clock(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = house.commanded(), house.commanded()
    later(house, days=2)
    states = type(house.app.states)
    reading = states.incident

    def incident(self: object, incident_id: str) -> object:
        if incident_id == broken:
            raise KeyError("a damaged event")
        return reading(self, incident_id)  # type: ignore[arg-type]

    monkeypatch.setattr(states, "incident", incident)
    assert rounds.make(house.app) > 0
    assert "clock.missed" in house.types(sound)
    assert "round-failed: KeyError" in caplog.text
    assert "a damaged event" not in caplog.text
