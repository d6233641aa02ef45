"""Rules that hold whatever order the commands come in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.app import gating
from holdfast.app.signing_in import viewer_of
from holdfast.kernel.errors import ForbiddenError, RefusedError
from tests.house import Clock, House, open_house

GATES = ("X1", "X2", "X3", "X4", "X5", "X6", "X7")


def _closed(house: House) -> str:
    incident = house.commanded()
    house.do("ada", "role-assign", incident, role="business_owner", account="ben")
    for status in ("contained", "recovering"):
        house.do("ada", "status-set", incident, status=status, reason="as planned")
    for gate in GATES:
        house.do("ben", "closure-waive", incident, gate=gate, reason="accepted for this one")
    house.do("ada", "recovery-verify", incident)
    house.do("ben", "closure-waive", incident, gate="X8", reason="accepted for this one")
    house.do("ada", "close", incident)
    return incident


def test_an_exercise_never_stops_a_real_pipeline(tmp_path: Path) -> None:
    clock = Clock()
    with open_house(tmp_path, clock) as house:
        for kind, verdict in (("exercise", "go"), ("real", "frozen")):
            incident = house.commanded(kind=kind)
            lapses = (clock.now + timedelta(hours=1)).isoformat()
            house.do("ada", "freeze-order", incident, scopes=["prod"], reason="stop", expires_at=lapses)
            assert gating.ask(house.app, "prod/pay").verdict == verdict


def test_reopening_asks_for_a_name_under_every_gate_again(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        incident = _closed(house)
        house.do("ada", "reopen", incident, reason="the key was used again")
        for status in ("contained", "recovering"):
            house.do("ada", "status-set", incident, status=status, reason="as planned")
        with pytest.raises(RefusedError):
            house.do("ada", "recovery-verify", incident)
        assert dict(house.app.states.incident(incident).recovery.gates) == {}


@pytest.mark.parametrize(
    ("case", "fields"),
    [
        ("closure-reopen", {"gate": "X2", "reason": "doubt"}),
        ("play-start", {"play": "leaked-secret"}),
        ("cause-unknown", {"rationale": "never found"}),
    ],
)
def test_a_closed_incident_stands_as_it_was_closed(tmp_path: Path, case: str, fields: dict[str, str]) -> None:
    with open_house(tmp_path) as house:
        incident = _closed(house)
        with pytest.raises(RefusedError) as refused:
            house.do("ada", case, incident, **fields)
        assert refused.value.code == "incident-closed"


def test_a_token_cannot_make_its_owner_a_new_sign_in_link(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        account = house.app.states.installation().accounts["ada"]
        with pytest.raises(ForbiddenError):
            house.app.execute("account-invite", {"account": "ada"}, viewer_of(account, "token"))
        assert "invitation" in house.app.execute("account-invite", {"account": "ben"}, viewer_of(account, "token")).once
