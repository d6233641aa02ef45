"""Proofs of identity: what is accepted, once, for how long; and refusals that tell nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import cbor2
import pyotp
import pytest

from holdfast.app.signing_in import FAILURES, SESSION_LASTS, WITHIN
from holdfast.kernel.errors import BadInputError, HoldfastError, UnauthenticatedError, UnavailableError
from tests.house import House, open_house

PASSWORD = "five unrelated words are long"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("signing-in")) as opened:
        yield opened


def enrolled(house: House, account: str) -> pyotp.TOTP:
    """Add an account with password and TOTP; its device."""
    house.system("account-add", account=account, roles=["responder"])
    seed = house.app.signing_in.new_seed()
    device = pyotp.TOTP(seed)
    house.app.signing_in.set_password(account, PASSWORD)
    house.app.signing_in.enrol_totp(account, seed, device.at(house.clock()))
    house.clock.now += timedelta(seconds=60)  # type: ignore[attr-defined]
    return device


def test_account_password_and_code_together_open_a_session_that_says_how(house: House) -> None:
    device = enrolled(house, "uma")
    value = house.app.signing_in.with_password("uma", PASSWORD, device.at(house.clock()))
    viewer, bearer = house.app.signing_in.viewer(value, session=True)
    assert (viewer.account, viewer.actor.authenticated, bearer.kind) == ("uma", "password+totp", "session")
    with pytest.raises(UnauthenticatedError):
        house.app.signing_in.viewer(value, session=False)


def test_a_code_is_good_once_and_so_is_every_code_before_it(house: House) -> None:
    device = enrolled(house, "vic")
    earlier, code = device.at(house.clock() - timedelta(seconds=30)), device.at(house.clock())
    house.app.signing_in.with_password("vic", PASSWORD, code)
    for used in (code, earlier):
        with pytest.raises(UnauthenticatedError):
            house.app.signing_in.with_password("vic", PASSWORD, used)


def test_every_wrong_proof_is_the_same_refusal(house: House) -> None:
    device = enrolled(house, "wim")
    house.system("account-add", account="bare", roles=["responder"])
    told = set()
    for account, password, code in (
        ("wim", "wrong password here", device.at(house.clock())),
        ("wim", PASSWORD, "000000"),
        ("wim", PASSWORD, ""),
        ("nobody", PASSWORD, "000000"),
        ("bare", PASSWORD, "000000"),
        ("bare", "", ""),
    ):
        with pytest.raises(UnauthenticatedError) as refused:
            house.app.signing_in.with_password(account, password, code)
        told.add((refused.value.code, str(refused.value), refused.value.next_step))
    assert len(told) == 1


def test_failures_make_the_account_wait_and_the_wait_ends(house: House) -> None:
    device = enrolled(house, "xia")
    for _ in range(FAILURES):
        with pytest.raises(UnauthenticatedError):
            house.app.signing_in.with_password("xia", "wrong password", "000000")
    with pytest.raises(UnavailableError) as paused:
        house.app.signing_in.with_password("xia", PASSWORD, device.at(house.clock()))
    assert 0 < paused.value.details["retry_after_s"] <= WITHIN.seconds + 1  # type: ignore[operator]
    house.clock.now += WITHIN  # type: ignore[attr-defined]
    assert house.app.signing_in.with_password("xia", PASSWORD, device.at(house.clock()))


def test_a_deactivated_account_does_not_sign_in(house: House) -> None:
    device = enrolled(house, "yan")
    house.do("ada", "account-deactivate", account="yan")
    with pytest.raises(UnauthenticatedError):
        house.app.signing_in.with_password("yan", PASSWORD, device.at(house.clock()))


def test_a_session_lapses(house: House) -> None:
    value = house.app.signing_in.start_session("ben", "passkey")
    house.clock.now += SESSION_LASTS - timedelta(seconds=1)  # type: ignore[attr-defined]
    house.app.signing_in.viewer(value, session=True)
    house.clock.now += timedelta(seconds=1)  # type: ignore[attr-defined]
    with pytest.raises(UnauthenticatedError):
        house.app.signing_in.viewer(value, session=True)


def test_a_one_time_link_works_once_and_not_after_its_day(house: House) -> None:
    fresh, stale = (house.do("ada", "account-invite", account="ben").once["invitation"] for _ in range(2))
    assert house.app.signing_in.with_link(fresh).account == "ben"
    house.clock.now += timedelta(hours=24)  # type: ignore[attr-defined]
    for used in (fresh, stale, "hf_invite_wrong", ""):
        with pytest.raises(UnauthenticatedError) as refused:
            house.app.signing_in.with_link(used)
        assert refused.value.code == "link-used"


def test_a_link_is_neither_session_nor_token(house: House) -> None:
    link = house.do("ada", "account-invite", account="ben").once["invitation"]
    for session in (True, False):
        with pytest.raises(UnauthenticatedError):
            house.app.signing_in.viewer(link, session=session)


def test_a_password_has_a_length_and_no_other_rule(house: House) -> None:
    for length in (11, 501):
        with pytest.raises(BadInputError) as refused:
            house.app.signing_in.set_password("cem", "a" * length)
        assert refused.value.code == "password-length"
    for length in (12, 500):
        house.app.signing_in.set_password("cem", "a" * length)


def test_a_wrong_code_enrols_no_second_factor(house: House) -> None:
    for code in ("000000", "", "abc", "\u0661\u0662\u0663\u0664\u0665\u0666", "1" * 500):
        with pytest.raises(BadInputError):
            house.app.signing_in.enrol_totp("cem", house.app.signing_in.new_seed(), code)
    assert house.app.installation_tools.credentials.of("cem", "totp") == []


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


KEYS: list[bytes] = [
    b"",
    b"\xff",
    *(cbor2.dumps(key) for key in ({}, {1: 2}, {1: 9, 3: -7}, {1: 2, 3: -7, -1: 1}, [], 5)),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("flags", [0x05, 0x45, 0xC5])
def test_a_malformed_answer_of_an_authenticator_is_a_refusal(house: House, key: bytes, flags: int) -> None:
    import hashlib

    signing_in, site = house.app.signing_in, house.app.site
    scope = hashlib.sha256(site.host.encode()).digest()
    data = scope + bytes([flags]) + b"\0\0\0\1" + bytes(16) + b"\0\x01a" + key
    challenge = signing_in.passkey_registration("ben", site)["challenge"]
    client = {"type": "webauthn.create", "challenge": challenge, "origin": site.origin}
    answer: dict[str, Any] = {
        "id": "eA",
        "rawId": "eA",
        "type": "public-key",
        "response": {
            "clientDataJSON": _coded(json.dumps(client).encode()),
            "attestationObject": _coded(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        },
    }
    with pytest.raises(BadInputError) as refused:
        signing_in.enrol_passkey("ben", answer, site, "x")
    assert refused.value.code == "passkey-refused"
    assert house.app.installation_tools.credentials.of("ben", "passkey") == []


@pytest.mark.parametrize("answer", [{}, {"id": 7}, {"id": "eA", "response": []}, {"id": "é", "rawId": None, "type": 1}])
def test_whatever_is_sent_as_a_passkey_is_refused_alike(house: House, answer: dict[str, Any]) -> None:
    nonce = house.app.signing_in.passkey_challenge(house.app.site)["nonce"]
    with pytest.raises(HoldfastError) as refused:
        house.app.signing_in.with_passkey(nonce, answer, house.app.site)
    assert refused.value.code == "passkey-refused"


def test_a_challenge_is_good_once(house: House) -> None:
    house.app.signing_in.passkey_registration("ben", house.app.site)
    assert house.app.signing_in._take_challenge("register:ben")
    with pytest.raises(ValueError, match="no such challenge"):
        house.app.signing_in._take_challenge("register:ben")
