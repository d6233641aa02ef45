from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.web import assets
from holdfast.web.pages.posting import same_site
from tests.unit.web.front_door import JSON, FrontDoor, hidden

RAISE = "/incidents/INC-2026-0001/do/severity-raise"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[FrontDoor]:
    found = FrontDoor(tmp_path)
    viewer = found.enter("mara")
    found.app.execute("declare", {"name": "AWS key of payments is public"}, viewer)
    yield found
    found.app.close()


def raising(door: FrontDoor, **said: str) -> dict[str, str]:
    return {**hidden(door.get(RAISE), "f-severity-raise"), "level": "SEV-1", "reason": "reads in a bucket", **said}


def test_a_form_is_done_once_and_leads_back(door: FrontDoor) -> None:
    sent = raising(door, next="/incidents/INC-2026-0001/board#F3")
    first, again = door.post(RAISE, sent), door.post(RAISE, sent)
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == "/incidents/INC-2026-0001/board#F3"
    assert door.app.states.incident("INC-2026-0001").incidents.level == "SEV-1"
    raised = [one for one in door.app.record.load("INC-2026-0001") if one.type == "severity.raised"]
    assert len(raised) == 1


def test_a_form_never_leads_to_another_site(door: FrontDoor) -> None:
    for elsewhere in ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\nb"):
        assert same_site(elsewhere, "/") == "/"
    assert same_site("/incidents?x=1#e-3", "/") == "/incidents?x=1#e-3"
    assert door.post(RAISE, raising(door, next="//evil.example")).headers["location"] == "/incidents/INC-2026-0001"


def test_a_refused_form_keeps_every_word_and_marks_the_field(door: FrontDoor) -> None:
    page = door.post(RAISE, raising(door, level="", reason="<b>why</b> & more"))
    assert page.status_code == 422
    assert "&lt;b&gt;why&lt;/b&gt; &amp; more" in page.text
    assert page.text.count('class="field-error"') == 1


def test_a_lost_race_shows_both_texts_and_may_be_sent_again(door: FrontDoor) -> None:
    late = raising(door, level="SEV-2", reason="my own words")
    assert door.post(RAISE, raising(door)).status_code == 303
    page = door.post(RAISE, late)
    assert page.status_code == 409
    assert "my own words" in page.text
    assert "raised the severity" in page.text
    problem = door.post(RAISE, {**late, "idempotency_key": "another-key"}, JSON).json()
    assert problem["details"]["theirs"]["by"] == "mara"
    assert hidden(page, "f-severity-raise")["saw"] == str(problem["details"]["version"])


def test_a_script_gets_json_with_the_instant_and_where_to_go(door: FrontDoor) -> None:
    answer = door.post(RAISE, raising(door), JSON).json()
    assert answer["recorded_at"] == "2026-11-23T03:07:12.000Z"
    assert answer["next"] == "/incidents/INC-2026-0001"


@pytest.mark.parametrize("csrf", ["", "0" * 64])
def test_a_form_without_the_sessions_token_does_nothing_and_shows_what_was_typed(door: FrontDoor, csrf: str) -> None:
    page = door.post(RAISE, raising(door, csrf=csrf))
    assert page.status_code == 403
    assert "reads in a bucket" in page.text
    assert door.app.states.incident("INC-2026-0001").incidents.level != "SEV-1"


def test_another_sites_form_is_refused(door: FrontDoor) -> None:
    page = door.post(RAISE, raising(door), {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 403


def test_an_unknown_field_an_oversized_form_and_bad_bytes_are_refused(door: FrontDoor) -> None:
    assert door.post(RAISE, raising(door, actor="eve")).status_code == 422
    assert door.post(RAISE, raising(door, reason="x" * (2 << 20))).status_code == 413
    assert door.post(RAISE, {}, {"Content-Type": "multipart/form-data; boundary=x"}).status_code == 422


def test_a_token_is_shown_once_and_to_nobody_else(door: FrontDoor) -> None:
    page = door.get("/do/token-issue")
    sent = [*hidden(page, "f-token-issue").items(), ("label", "laptop"), ("scopes", "gate"), ("days", "5")]
    moved = door.post("/do/token-issue", sent)
    assert moved.status_code == 303
    assert "hf_token" not in moved.text + moved.headers["location"]
    mine = dict(door.cookies)
    door.enter("ben")
    assert door.get(moved.headers["location"]).status_code == 404
    door.cookies = mine
    shown = door.get(moved.headers["location"])
    assert "hf_token_" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert door.get(moved.headers["location"]).status_code == 404


def test_the_author_is_told_what_was_taken_out_of_a_text(door: FrontDoor) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    moved = door.post(RAISE, raising(door, reason=f"found {secret}"))
    page = door.get(moved.headers["location"])
    if "/once/" in moved.headers["location"]:
        assert "looked like a secret" in page.text
        assert secret not in page.text
    else:
        pytest.fail("the secret was not noticed")


def test_forms_and_palette_offer_only_what_the_viewer_may_do(door: FrontDoor) -> None:
    everything = {one["href"] for one in door.get("/incidents/INC-2026-0001/palette").json()}
    assert {RAISE, "/declare", "/accounts", "/log"} <= everything
    door.person("rota", "observer")
    door.enter("rota")
    assert RAISE not in {one["href"] for one in door.get("/incidents/INC-2026-0001/palette").json()}
    assert door.get(RAISE).status_code == 403
    assert door.get("/do/account-add").status_code == 403


def test_a_restricted_incident_looks_like_none_everywhere(door: FrontDoor) -> None:
    viewer = door.person("mara")
    said = {"name": "An employee", "sensitivity": "restricted", "codename": "GREY HERON"}
    hidden_id = door.app.execute("declare", said, viewer).incident_id
    door.person("rota", "responder")
    door.enter("rota")
    for path in ("/do/claim-state", "/palette"):
        there = door.get(f"/incidents/{hidden_id}{path}")
        nowhere = door.get(f"/incidents/INC-2026-9999{path}")
        assert there.status_code == nowhere.status_code == 404
        assert there.text.replace(hidden_id, "X").count("X") == nowhere.text.replace("INC-2026-9999", "X").count("X")


def test_static_files_are_ours_typed_and_kept_for_ever(door: FrontDoor) -> None:
    found = door.get(f"/static/{assets.digest()}/js/page.js")
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in found.headers["cache-control"]
    for path in ("../assets.py", "%2e%2e/assets.py", "js/../../assets.py"):
        assert door.get(f"/static/{assets.digest()}/{path}").status_code == 404


def test_errors_speak_to_people_scripts_and_panels(door: FrontDoor) -> None:
    page = door.get("/incidents/INC-2026-9999/do/claim-state")
    assert page.status_code == 404
    assert "Next:" in page.text
    assert door.get("/nothing", JSON).json()["code"] == "page-not-found"
    panel = door.get("/nothing", {"X-Holdfast-Panel": "true"})
    assert panel.status_code == 404
    assert "<html" not in panel.text
    door.cookies = {}
    assert door.get("/incidents?status=any").headers["location"] == "/sign-in?next=/incidents%3Fstatus%3Dany"
    assert door.get("/incidents", JSON).status_code == 401
