"""Erasure orders are carried out whole, also after a crash, and destroy nothing that another needs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.app import checking, erasing
from holdfast.app.work import ERASED
from holdfast.kernel.errors import ForbiddenError, HoldfastError, RefusedError
from holdfast.kernel.events import Event
from tests.contract.records import bytes_within
from tests.house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


def led(house: House) -> str:
    """An incident that ada commands and ben owns the business of."""
    incident = house.commanded()
    house.do("ada", "role-assign", incident, role="business_owner", account="ben")
    return incident


def order(house: House, incident: str, target: str) -> None:
    house.do("ben", "erasure-request", incident, target=target, reason="asked for", legal_basis="their right")
    wanted = [event.data["erasure_id"] for event in house.events(incident) if event.type == "erasure.requested"][-1]
    house.do("cem", "erasure-approve", incident, erasure_id=wanted)


def said(house: House, incident: str, text: str) -> str:
    told = house.do("ada", "message-post", incident, text=text)
    return str(house.events(incident)[told.version].data["text"]["sealed"])


def test_erased_words_are_gone_from_every_file_and_everything_still_verifies(house: House) -> None:
    incident = led(house)
    text = said(house, incident, "a name that must go")
    found = house.app.texts.material(text)
    assert found is not None
    salt, _ = found
    folder = house.app.settings.data.parent
    assert salt in bytes_within(folder)
    order(house, incident, text)
    assert salt not in bytes_within(folder)
    assert house.app.texts.read([text]) == {}
    assert checking.check(house.app).faults == []
    assert house.types(incident).count("message.posted") == 1


def test_erased_evidence_is_gone_and_what_it_was_is_still_told(house: House) -> None:
    incident = led(house)
    item = house.collect(incident, body=b"personal data\n")
    digest = house.app.states.incident(incident).evidence.items[item].sha256
    order(house, incident, item)
    assert house.app.vault.verify(digest) == "missing"
    assert house.app.record.upload(incident, digest) is None
    left = house.app.states.incident(incident).evidence.items[item]
    assert (left.sha256, left.standing) == (digest, "erased")
    assert checking.check(house.app).faults == []


def test_bytes_that_another_incident_holds_stay_for_it(house: House) -> None:
    one, two = led(house), led(house)
    items = [house.collect(incident, body=b"shared bytes\n") for incident in (one, two)]
    digest = house.app.states.incident(one).evidence.items[items[0]].sha256
    order(house, one, items[0])
    assert house.app.vault.verify(digest) == "ok"
    assert checking.check(house.app).faults == []
    order(house, two, items[1])
    assert house.app.vault.verify(digest) == "missing"


def test_items_of_the_same_bytes_go_together_because_they_cannot_be_told_apart(house: House) -> None:
    incident = led(house)
    first, second = (house.collect(incident, body=b"twice\n") for _ in range(2))
    digest = house.app.states.incident(incident).evidence.items[second].sha256
    order(house, incident, first)
    assert house.app.vault.verify(digest) == "missing"
    assert {item.standing for item in house.app.states.incident(incident).evidence.items.values()} == {"erased"}
    assert checking.check(house.app).faults == []


def test_a_crash_between_order_and_destruction_is_made_good_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path) as house:
        incident = led(house)
        text, item = said(house, incident, "must go"), house.collect(incident, body=b"must go too\n")
        digest = house.app.states.incident(incident).evidence.items[item].sha256

        def crash(_stream: str, events: tuple[Event, ...]) -> None:
            if any(event.type in erasing.ERASING for event in events):
                raise RuntimeError("the power went")

        monkeypatch.setattr(house.app.dispatcher, "after_commit", crash)
        for target in (text, item):
            with pytest.raises(RuntimeError):
                order(house, incident, target)
        assert house.app.texts.read([text])
        assert {fault.what for fault in checking.check(house.app).faults} == {
            "it was erased by order, and its words are still there",
            "it was erased by order, and is still here; restart Holdfast",
        }
    with open_house(tmp_path) as house:
        assert house.app.texts.read([text]) == {}
        assert house.app.vault.verify(digest) == "missing"
        assert checking.check(house.app).faults == []


def test_a_damaged_incident_does_not_keep_the_installation_from_opening_and_being_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_house(tmp_path) as house:
        incident = led(house)
        order(house, incident, house.collect(incident))
        with house.app.record._databases.record.begin() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql("UPDATE event SET body = x'7b7d' WHERE stream_id = ? AND seq = 1", (incident,))
    with open_house(tmp_path) as house:
        assert f"erasure-not-finished: {incident}" in caplog.text
        assert f"{incident} #1" in {fault.place for fault in checking.check(house.app).faults}


def test_carrying_out_again_changes_nothing(house: House) -> None:
    incident = led(house)
    order(house, incident, house.collect(incident))
    before = bytes_within(house.app.settings.data / "objects")
    for _ in range(2):
        house.app.finish_erasures()
    assert bytes_within(house.app.settings.data / "objects") == before


def test_one_person_alone_erases_nothing_and_a_legal_hold_stops_it(house: House) -> None:
    incident = led(house)
    item = house.collect(incident)
    house.do("ben", "erasure-request", incident, target=item, reason="asked", legal_basis="their right")
    with pytest.raises((ForbiddenError, RefusedError)):
        house.do("ben", "erasure-approve", incident, erasure_id="erasure-1")
    house.do("ben", "hold-place", incident, reason="a court asked")
    with pytest.raises(HoldfastError):
        house.do("cem", "erasure-approve", incident, erasure_id="erasure-1")
    assert house.app.vault.verify(house.app.states.incident(incident).evidence.items[item].sha256) == "ok"


def test_erased_words_read_as_their_tombstone_where_they_were_used(house: House) -> None:
    incident = led(house)
    text = said(house, incident, "must go")
    order(house, incident, text)
    from holdfast.app.queries import timeline

    entries = timeline.entries(house.app.states.incident(incident), house.events(incident), house.app.texts)
    told = " ".join(entry.as_json()["sentence"] for entry in entries)
    assert "must go" not in told
    assert ERASED in told or "erased" in told


def test_a_damaged_manifest_does_not_hold_the_erasure_up(house: House) -> None:
    stored = house.app.vault.put(io.BytesIO(b"no manifest"), limit=100)
    assert erasing._members(house.app.vault, stored.sha256) == []
    assert erasing._members(house.app.vault, None) == []
