"""What every request meets before anything is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.web.identity import COOKIE
from holdfast.web.limits import MAX_BODY
from tests.house import Api, Clock, House, open_house, served


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture(scope="module")
def api(house: House) -> Iterator[Api]:
    with served(house) as found:
        yield found


@pytest.mark.parametrize("path", ["/welcome/passkey/options", "/welcome/passkey", "/security/passkeys", "/sign-in"])
def test_nobody_fills_memory_with_a_body_whether_signed_in_or_not(api: Api, path: str) -> None:
    body = b'{"csrf":"' + b"a" * MAX_BODY + b'"}'
    answer = api.request("POST", path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_a_screen_left_open_enrols_no_passkey_over_the_api_either(api: Api, house: House) -> None:
    headers = {"Cookie": f"{COOKIE}={house.app.signing_in.start_session('ben', 'passkey')}"}
    assert api.request("POST", "/api/v1/passkeys/registration", headers=headers).status_code == 200
    assert isinstance(house.clock, Clock)
    house.clock.now += timedelta(minutes=16)
    for path in ("/api/v1/passkeys/registration", "/api/v1/passkeys"):
        answer = api.request("POST", path, json={"answer": {}, "label": "mine"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "sign-in-not-fresh")


def test_a_databases_error_shows_no_parameter(tmp_path: Path) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import IntegrityError

    from holdfast.store.database import open_databases, sqlite_url

    databases = open_databases(sqlite_url(tmp_path / "record.sqlite"), sqlite_url(tmp_path / "keys.sqlite"))
    try:
        for engine in (databases.record, databases.keys):
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE once (said TEXT PRIMARY KEY)"))
                connection.execute(text("INSERT INTO once VALUES (:said)"), {"said": "a key"})
            with pytest.raises(IntegrityError) as broken, engine.begin() as connection:
                connection.execute(text("INSERT INTO once VALUES (:said)"), {"said": "a key"})
            assert "a key" not in str(broken.value)
    finally:
        databases.close()
