from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.web.front_door import FrontDoor, hidden


@pytest.fixture
def door(tmp_path: Path) -> Iterator[FrontDoor]:
    found = FrontDoor(tmp_path)
    yield found
    found.app.close()


def test_an_empty_list_teaches_what_belongs_there(door: FrontDoor) -> None:
    door.enter("mara")
    page = door.get("/")
    assert "No incident is open." in page.text
    assert "holdfast declare" in page.text


def test_the_list_pages_by_fifty_and_filters(door: FrontDoor) -> None:
    viewer = door.enter("mara")
    for number in range(52):
        door.app.execute("declare", {"name": f"alert {number}"}, viewer)
    door.app.execute("declare", {"name": "practice", "kind": "exercise"}, viewer)
    first = door.get("/incidents")
    assert first.text.count('<tr id="row-') == 50
    older = first.text.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    second = door.get(older)
    assert second.text.count('<tr id="row-') == 3
    assert door.get("/incidents?kind=exercise").text.count('<tr id="row-') == 1
    assert "Nothing fits." in door.get("/incidents?status=closed").text
    assert door.get("/incidents?status=%00&after=junk&kind=%27").status_code == 200


def test_red_in_the_list_means_nobody_commands(door: FrontDoor) -> None:
    viewer = door.enter("mara")
    door.app.execute("declare", {"name": "alert"}, viewer)
    assert 'class="alarm"' not in door.get("/incidents").text
    door.app.execute("command-vacate", {"reason": "ill"}, viewer, incident_id="INC-2026-0001")
    assert '<span class="alarm">nobody</span>' in door.get("/incidents").text


def test_a_restricted_incident_is_on_the_list_of_those_who_may_see_it_only(door: FrontDoor) -> None:
    viewer = door.enter("mara")
    said = {"name": "An employee", "sensitivity": "restricted", "codename": "GREY HERON"}
    door.app.execute("declare", said, viewer)
    assert "An employee" in door.get("/incidents").text
    door.person("rota", "responder")
    door.enter("rota")
    assert "employee" not in door.get("/incidents").text


def test_hostile_names_are_only_text(door: FrontDoor) -> None:
    viewer = door.enter("mara")
    door.app.execute("declare", {"name": '"><script>alert(1)</script>'}, viewer)
    assert "<script>alert" not in door.get("/incidents").text


def test_declaring_needs_a_name_and_keeps_the_rest_when_it_is_missing(door: FrontDoor) -> None:
    door.enter("mara")
    form = hidden(door.get("/declare"), "f-declare")
    page = door.post("/do/declare", {**form, "name": "", "customer_data": "suspected", "reported_by": "the code host"})
    assert page.status_code == 422
    assert "<h1>Declare an incident</h1>" in page.text
    assert "the code host" in page.text
    assert 'value="suspected" checked' in page.text
    answers = {"answers.data_left": "confirmed", "play": "leaked-secret", "reported_by": "the code host"}
    moved = door.post("/do/declare", {**form, "idempotency_key": "another-one", "name": "AWS key", **answers})
    assert moved.headers["location"] == "/incidents/INC-2026-0001"
    state = door.app.states.incident("INC-2026-0001").incidents
    assert (state.level, state.play) == ("SEV-1", "leaked-secret")
    assert state.impact["customer_data"].answer == "unknown"


def test_administrators_change_accounts_and_others_only_read_them(door: FrontDoor) -> None:
    door.enter("mara")
    door.person("ben", "responder")
    page = door.get("/accounts/ben")
    form = hidden(page, "f-account-qualify-ben")
    assert form["account"] == "ben"
    assert door.post("/do/account-qualify", {**form, "role": "technical_lead"}).headers["location"] == "/accounts/ben"
    assert door.app.states.installation().accounts["ben"].qualified == {"technical_lead"}
    door.enter("ben")
    read = door.get("/accounts/mara")
    assert read.status_code == 200
    assert 'data-command="account-' not in read.text
    assert door.get("/accounts/nobody").status_code == 404


def test_the_log_is_for_auditors_and_administrators(door: FrontDoor) -> None:
    door.enter("mara")
    page = door.get("/log")
    assert "added the account mara" in page.text
    assert door.app.verifier_keys()[0].split("+")[1] in page.text
    door.person("rita", "auditor")
    door.enter("rita")
    assert door.get("/log").status_code == 200
    door.person("ben", "responder")
    door.enter("ben")
    assert door.get("/log").status_code == 403
