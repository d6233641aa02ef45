from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from holdfast.web.identity import COOKIE
from tests.unit.web.front_door import FrontDoor, hidden

PASSWORD = "correct horse battery staple"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[FrontDoor]:
    found = FrontDoor(tmp_path)
    yield found
    found.app.close()


def seed_on(text: str) -> str:
    return text.split('id="seed">', 1)[1].split("<", 1)[0].replace(" ", "")


def follow(door: FrontDoor, link: str) -> dict[str, str]:
    """Exchange a link; what the form would send when all is right."""
    assert door.post("/welcome/link", {"link": link}).status_code == 303
    page = door.get("/welcome")
    code = pyotp.TOTP(seed_on(page.text)).at(door.now)
    return {**hidden(page, "enrol-form"), "account": "mara", "password": PASSWORD, "again": PASSWORD, "code": code}


def test_showing_and_reloading_use_nothing_up(door: FrontDoor) -> None:
    link = door.app.first_run_link()
    assert link is not None
    first = follow(door, f"http://localhost:8300/welcome#{link}")
    assert door.get("/welcome").text.count('id="seed"') == 1
    assert follow(door, link)["csrf"] != first["csrf"]
    assert not door.app.states.installation().accounts


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": "short", "again": "short"}, "password-length"),
        ({"again": "something else entirely"}, "password-differs"),
        ({"code": "000000"}, "totp-code-wrong"),
        ({"account": "Not A Name"}, "account-name-invalid"),
        ({"csrf": "0" * 64}, "form-expired"),
    ],
)
def test_a_refusal_leaves_the_link_and_makes_nothing(door: FrontDoor, wrong: dict[str, str], code: str) -> None:
    link = door.app.first_run_link()
    assert link is not None
    sent = follow(door, link)
    page = door.post("/welcome", sent | wrong)
    assert page.status_code >= 400
    assert code in page.text
    assert not door.app.states.installation().accounts
    assert not door.app.installation_tools.credentials.of("mara", "password")
    assert door.post("/welcome", follow(door, link)).status_code == 303
    assert "mara" in door.app.states.installation().accounts


def test_a_link_is_used_up_by_the_account_it_makes(door: FrontDoor) -> None:
    link = door.app.first_run_link()
    assert link is not None
    sent = follow(door, link)
    made = door.post("/welcome", sent)
    assert made.status_code == 303
    assert "httponly" in made.headers["set-cookie"].lower()
    assert door.post("/welcome", sent).status_code == 401
    assert door.post("/welcome/link", {"link": link}).status_code == 401
    assert door.get("/incidents").status_code == 200


def test_an_invitation_replaces_the_password_and_never_makes_another_account(door: FrontDoor) -> None:
    viewer = door.enter("ada")
    link = door.app.execute("account-add", {"account": "ben"}, viewer).once["invitation"]
    assert door.post("/welcome", follow(door, link) | {"account": "eve"}).status_code == 303
    accounts = door.app.states.installation().accounts
    assert set(accounts) == {"ada", "ben"}
    assert accounts["ben"].enrolled == {"password", "totp"}


def test_an_enrolment_is_no_session(door: FrontDoor) -> None:
    link = door.app.first_run_link()
    assert link is not None
    follow(door, link)
    door.cookies[COOKIE] = door.cookies["holdfast_enrolment"]
    assert door.get("/incidents").status_code == 303


def test_signing_in_goes_on_to_this_site_only_and_tells_nothing(door: FrontDoor) -> None:
    link = door.app.first_run_link()
    assert link is not None
    sent = follow(door, link)
    seed = seed_on(door.get("/welcome").text)
    door.post("/welcome", sent)
    door.cookies = {}
    door.wait(1)
    wrong = [
        door.post("/sign-in", {"account": name, "password": word, "code": "000000"})
        for name, word in (("mara", PASSWORD), ("mara", "wrong"), ("nobody", PASSWORD))
    ]
    assert {page.status_code for page in wrong} == {401}
    assert len({page.text.replace("nobody", "mara").split("<main")[1] for page in wrong}) == 1
    assert all(PASSWORD not in page.text for page in wrong)
    right = {"account": "mara", "password": PASSWORD, "code": pyotp.TOTP(seed).at(door.now)}
    assert door.post("/sign-in", right | {"next": "//evil.example"}).headers["location"] == "/"
    assert door.get("/").status_code == 200


def test_signing_out_ends_the_session_itself(door: FrontDoor) -> None:
    door.enter("mara")
    kept = dict(door.cookies)
    page = door.get("/security")
    csrf = page.text.split('name="csrf-token" content="', 1)[1].split('"', 1)[0]
    assert door.post("/sign-out", {"csrf": "x"}).status_code == 403
    assert door.post("/sign-out", {"csrf": csrf}).status_code == 303
    door.cookies = kept
    assert door.get("/security").headers["location"].startswith("/sign-in")


def test_how_one_signs_in_changes_only_right_after_signing_in(door: FrontDoor) -> None:
    door.enter("mara")
    page = door.get("/security")
    csrf = page.text.split('name="csrf-token" content="', 1)[1].split('"', 1)[0]
    sent = {"csrf": csrf, "password": PASSWORD, "again": PASSWORD}
    old = dict(door.cookies)
    door.wait(16)
    assert door.post("/security/password", sent).status_code == 403
    door.enter("mara")
    page = door.get("/security")
    sent["csrf"] = page.text.split('name="csrf-token" content="', 1)[1].split('"', 1)[0]
    before = dict(door.cookies)
    assert door.post("/security/password", sent).status_code == 303
    assert door.cookies[COOKIE] not in (old[COOKIE], before[COOKIE])
    assert "password" in door.app.states.installation().accounts["mara"].enrolled
    door.cookies = before
    assert door.get("/security").status_code == 303
