"""The one way from a surface to a durable event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.app import dispatching
from holdfast.app.ports import Append, LostRaceError
from holdfast.kernel.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    HoldfastError,
    NotFoundError,
    UnavailableError,
)
from tests.house import House, open_house

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("dispatching")) as opened:
        yield opened


def losing(house: House, monkeypatch: pytest.MonkeyPatch, times: int) -> list[Append]:
    """Let the next appends lose their race; what was tried."""
    tried: list[Append] = []
    append = type(house.app.record).append

    def racing(record: Any, batch: Append) -> int:
        tried.append(batch)
        if len(tried) <= times:
            raise LostRaceError(batch.stream_id)
        return append(record, batch)

    monkeypatch.setattr(type(house.app.record), "append", racing)
    return tried


def words(house: House, incident: str, seq: int = -1) -> str:
    text: str = house.events(incident)[seq].data["text"]["sealed"]
    return house.app.texts.read([text])[text]


def test_an_answer_names_the_events_that_are_stored(house: House) -> None:
    incident = house.declare()
    told = house.do("ada", "message-post", incident, text="hello")
    stored = house.events(incident)[-1]
    assert told.as_json()["events"] == [{"event_id": stored.event_id, "seq": stored.seq, "type": stored.type}]
    assert told.version == stored.seq
    assert not told.replayed


def test_a_secret_is_stored_nowhere_and_its_author_is_told(house: House) -> None:
    incident = house.declare()
    told = house.do("ada", "message-post", incident, text=f"the token is {TOKEN}, rotate it")
    (notice,) = told.notices
    assert notice.field == "text"
    stored = words(house, incident)
    assert TOKEN not in stored
    assert stored.startswith("the token is ")
    assert stored.endswith(", rotate it")
    assert notice.fingerprint in stored


def test_the_same_command_under_the_same_key_is_done_once(house: House) -> None:
    incident = house.declare()
    first, again = (house.do("ada", "message-post", incident, "same-key-1", text="once") for _ in range(2))
    assert again.as_json() == first.as_json() | {"replayed": True}
    assert house.types(incident).count("message.posted") == 1


def test_another_command_under_a_used_key_is_refused_and_nothing_is_done(house: House) -> None:
    incident = house.declare()
    house.do("ada", "message-post", incident, "same-key-2", text="one")
    before = house.app.record.position()
    for case, fields in (("message-post", {"text": "two"}), ("command-take", {})):
        with pytest.raises(BadInputError) as refused:
            house.do("ada", case, incident, "same-key-2", **fields)
        assert refused.value.code == "idempotency-key-reused"
    assert house.app.record.position() == before


def test_two_people_may_choose_the_same_key(house: House) -> None:
    incident = house.declare()
    for account in ("ada", "ben"):
        assert not house.do(account, "message-post", incident, "same-key-3", text="mine").replayed
    assert house.types(incident).count("message.posted") == 2


def test_a_used_key_opens_nothing_to_a_narrower_token(house: House) -> None:
    incident = house.declare()
    house.do("ada", "message-post", incident, "same-key-4", text="once")
    reading = house.viewer("ada", frozenset({"read"}))
    with pytest.raises(ForbiddenError):
        house.app.execute("message-post", {"text": "once"}, reading, incident_id=incident, idempotency_key="same-key-4")


def test_what_is_shown_once_is_not_shown_again_and_stored_nowhere(house: House) -> None:
    first, again = (house.do("ada", "token-issue", None, "same-key-5", label="once") for _ in range(2))
    assert first.once["token"].startswith("hf_token_")
    assert again.replayed
    assert "token" not in again.as_json()["result"]
    remembered = house.app.record.remembered("ada", "same-key-5")
    assert remembered is not None
    assert first.once["token"] not in str(remembered.response)


def test_a_changed_facet_is_a_conflict_with_its_versions_and_nothing_is_done(house: House) -> None:
    incident = house.declare()
    saw = house.app.states.incident(incident).facets["command"]
    house.do("ada", "command-take", incident, saw=saw)
    before = house.app.record.size(incident)
    with pytest.raises(ConflictError) as refused:
        house.do("ben", "command-take", incident, saw=saw)
    newest = house.app.states.incident(incident).facets["command"]
    assert refused.value.details == {"facet": "command", "saw": saw, "version": newest}
    assert house.app.record.size(incident) == before


def test_a_message_is_no_conflict_however_much_has_happened(house: House) -> None:
    incident = house.declare()
    for number in range(3):
        house.do("ada", "message-post", incident, text=f"{number}", saw=0)


def test_a_lost_race_is_decided_again_with_the_same_words(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = house.declare()
    tried = losing(house, monkeypatch, 3)
    house.do("ada", "message-post", incident, text="said once")
    assert len({batch.words[0].reference.text_id for batch in tried}) == 1
    assert words(house, incident) == "said once"
    assert house.types(incident).count("message.posted") == 1


def test_races_lost_without_end_are_told_as_busy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = house.declare()
    tried = losing(house, monkeypatch, 10**6)
    with pytest.raises(UnavailableError) as refused:
        house.do("ada", "message-post", incident, text="never")
    assert (refused.value.code, len(tried)) == ("too-busy", dispatching.ATTEMPTS)
    assert refused.value.retry_helps


def test_a_restricted_incident_takes_no_number(house: House) -> None:
    before = house.declare()
    hidden = house.declare(sensitivity="restricted")
    after = house.declare()
    assert hidden.startswith("INC-R-")
    assert int(after.rpartition("-")[2]) == int(before.rpartition("-")[2]) + 1


def test_exercises_have_numbers_of_their_own(house: House) -> None:
    assert house.declare(kind="exercise") == "EX-2026-0001"


@pytest.mark.parametrize("account", ["out", "eye", "aud"])
def test_who_may_not_see_an_incident_learns_nothing_from_any_command(house: House, account: str) -> None:
    hidden = house.declare(sensitivity="restricted")
    for case in ("message-post", "access-break-glass"):
        if account == "out" and case == "access-break-glass":
            continue
        told = []
        for incident in (hidden, "INC-R-zzzzzzzz"):
            with pytest.raises(HoldfastError) as refused:
                house.do(account, case, incident, **({"text": "x"} if case == "message-post" else {"reason": "x"}))
            told.append((type(refused.value), str(refused.value).replace(incident, "INCIDENT")))
        assert told[0] == told[1]
        assert told[0][0] is NotFoundError


def test_fields_that_do_not_fit_are_all_named_and_none_is_echoed(house: House) -> None:
    incident = house.declare()
    with pytest.raises(BadInputError) as refused:
        house.do("ada", "severity-raise", incident, level="SECRET-INPUT", extra="SECRET-INPUT")
    named = [fault["field"] for fault in refused.value.details["faults"]]  # type: ignore[index,attr-defined]
    assert set(named) == {"level", "reason", "extra"}
    assert "SECRET-INPUT" not in f"{refused.value}{refused.value.details}"


def test_a_command_that_changes_nothing_records_nothing(house: House) -> None:
    before = house.app.record.position()
    told = house.system("account-qualify", account="ada", role="commander")
    assert told.events == ()
    assert house.app.record.position() == before


def test_the_bus_is_told_after_the_commit(house: House, tmp_path: Path) -> None:
    incident = house.declare()
    heard: list[tuple[str, int, int]] = []
    stop = house.app.bus.subscribe(lambda stream, seq: heard.append((stream, seq, house.app.record.size(stream))))
    told = house.do("ada", "message-post", incident, text="x")
    stop()
    house.do("ada", "message-post", incident, text="y")
    assert heard == [(incident, told.version, told.version + 1)]


def test_one_key_sent_twice_rotates_the_signing_key_once(house: House) -> None:
    keys = len(house.app.verifier_keys())
    for _ in range(2):
        house.do("ada", "key-rotate", None, "rotate-key-1")
    assert len(house.app.verifier_keys()) == keys + 1
    rotated = [event for event in house.events("installation") if event.type == "signing_key.rotated"]
    assert [event.data["vkey"] for event in rotated] == list(house.app.verifier_keys()[keys:])
