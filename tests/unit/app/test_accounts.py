"""Accounts, tokens and keys: power is given within reach, taken at once, and never from the last administrator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.app.authorisation import Viewer
from holdfast.app.installation import STREAM
from holdfast.app.ports_identity import Credential
from holdfast.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedError, UnauthenticatedError
from tests.house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


def accepted(house: House, token: str) -> bool:
    try:
        house.app.signing_in.viewer(token, session=False)
    except UnauthenticatedError:
        return False
    return True


def test_an_account_is_added_with_roles_and_a_link_that_is_in_no_event(house: House) -> None:
    told = house.do("ada", "account-add", account="new", roles=["observer"], qualified=["commander"])
    account = house.app.states.installation().accounts["new"]
    assert (account.roles, account.qualified, account.active) == ({"observer"}, {"commander"}, True)
    assert told.once["invitation"] not in "".join(str(event.data) for event in house.events(STREAM))


def test_a_name_is_never_given_twice(house: House) -> None:
    house.do("ada", "account-deactivate", account="cem")
    with pytest.raises(RefusedError) as refused:
        house.do("ada", "account-add", account="cem")
    assert refused.value.code == "account-exists"


def test_a_service_gets_no_sign_in_link(house: House) -> None:
    assert house.do("ada", "account-add", account="pipe", kind="service").once == {}


@pytest.mark.parametrize(
    ("case", "fields"),
    [
        ("account-revoke", {"account": "ada", "role": "administrator"}),
        ("account-deactivate", {"account": "ada"}),
    ],
)
def test_the_last_administrator_stays(house: House, case: str, fields: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        house.do("ada", case, **fields)
    assert refused.value.code == "last-administrator"
    house.do("ada", "account-grant", account="ben", role="administrator")
    house.do("ben", case, **fields)


def test_an_inactive_administrator_does_not_count(house: House) -> None:
    house.do("ada", "account-grant", account="ben", role="administrator")
    house.do("ada", "account-deactivate", account="ben")
    with pytest.raises(RefusedError):
        house.do("ada", "account-revoke", account="ada", role="administrator")


def test_deactivating_ends_sessions_tokens_and_links_and_reactivating_revives_none(house: House) -> None:
    token = house.do("ben", "token-issue", label="x").once["token"]
    session = house.app.signing_in.start_session("ben", "passkey")
    link = house.do("ada", "account-invite", account="ben").once["invitation"]
    house.do("ada", "account-deactivate", account="ben")
    house.do("ada", "account-reactivate", account="ben")
    assert not accepted(house, token)
    with pytest.raises(UnauthenticatedError):
        house.app.signing_in.viewer(session, session=True)
    with pytest.raises(UnauthenticatedError):
        house.app.signing_in.with_link(link)


@pytest.mark.parametrize("case", ["token-revoke", "account-deactivate"])
def test_a_crash_while_power_is_taken_leaves_less_power_and_never_more(
    house: House, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    issued = house.do("ben", "token-issue", label="x")

    def crash(*_: object) -> int:
        raise RuntimeError("the power went")

    monkeypatch.setattr(type(house.app.record), "append", crash)
    fields = {"token_id": issued.result["token_id"]} if case == "token-revoke" else {"account": "ben"}
    with pytest.raises(RuntimeError):
        house.do("ada", case, **fields)
    monkeypatch.undo()
    assert not accepted(house, issued.once["token"])
    house.do("ada", case, **fields)
    assert house.types(STREAM)[-1] in ("token.revoked", "account.deactivated")


def test_a_crash_while_power_is_given_leaves_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    values: list[str] = []
    tools = house.app.installation_tools
    drawn = tools.randomness

    def draw(count: int) -> bytes:
        found = drawn(count)
        values.append(found.hex())
        return found

    def crash(*_: object) -> int:
        raise RuntimeError("the power went")

    monkeypatch.setattr(tools, "randomness", draw)
    monkeypatch.setattr(type(house.app.record), "append", crash)
    with pytest.raises(RuntimeError):
        house.do("ben", "token-issue", label="x")
    monkeypatch.undo()
    assert values
    assert house.app.states.installation().tokens == {}


def test_a_token_is_its_owners_or_an_administrators_to_revoke(house: House) -> None:
    issued = house.do("ben", "token-issue", label="x")
    with pytest.raises(BadInputError) as refused:
        house.do("cem", "token-revoke", token_id=issued.result["token_id"])
    assert refused.value.code == "token-unknown"
    assert accepted(house, issued.once["token"])
    house.do("ada", "token-revoke", token_id=issued.result["token_id"])
    assert not accepted(house, issued.once["token"])


def test_a_token_lapses_on_its_day(house: House) -> None:
    token = house.do("ben", "token-issue", label="x", days=1).once["token"]
    house.clock.now += timedelta(days=1)  # type: ignore[attr-defined]
    assert not accepted(house, token)


def test_nobody_issues_a_token_in_a_persons_name(house: House) -> None:
    with pytest.raises(BadInputError) as refused:
        house.do("ada", "token-issue-service", account="ben", label="x")
    assert refused.value.code == "not-a-service"


def test_what_is_said_of_nobody_is_refused(house: House) -> None:
    for case in ("account-deactivate", "account-invite", "credential-remove-passkeys"):
        with pytest.raises(NotFoundError):
            house.do("ada", case, account="nobody")


def test_passkeys_are_removed_from_the_store_and_the_removal_is_recorded(house: House) -> None:
    credentials = house.app.installation_tools.credentials
    credentials.put(Credential("ben", "passkey", "one", b"key", 0, "x"), house.clock())
    house.do("ben", "credential-note", kind="passkey")
    house.do("ada", "credential-remove-passkeys", account="ben")
    assert credentials.of("ben", "passkey") == []
    assert house.app.states.installation().accounts["ben"].enrolled == frozenset()


def test_an_enrolment_is_noted_only_where_there_is_one(house: House) -> None:
    assert house.do("ben", "credential-note", kind="passkey").events == ()


def test_who_is_not_an_administrator_manages_nobody(house: House) -> None:
    someone = house.viewer("ben")
    raised = Viewer(someone.account, someone.roles | {"auditor"}, someone.actor)
    with pytest.raises(ForbiddenError):
        house.app.execute("account-grant", {"account": "ben", "role": "administrator"}, raised)
