"""``fsck`` finds nothing on a sound installation, and names every fault that is put into one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.app import checking
from holdfast.kernel.canonical import canonical
from tests.house import House, open_house

PATIENT = "a person's name that must not stay"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a restricted incident and an open one, to be copied; the restricted one's id."""
    folder = tmp_path_factory.mktemp("sound")
    with open_house(folder) as house:
        found = house.commanded(sensitivity="restricted", suspected_impact="maybe all of it")
        house.do("ada", "message-post", found, text="first message")
        house.collect(found)
        house.commanded("ben")
    return folder, found


@pytest.fixture
def house(sound: tuple[Path, str], tmp_path: Path) -> Iterator[House]:
    shutil.copytree(sound[0], tmp_path / "house")
    with open_house(tmp_path / "house") as opened:
        yield opened


@pytest.fixture
def incident(sound: tuple[Path, str]) -> str:
    return sound[1]


def faults(house: House) -> dict[str, str]:
    house.app.states.forget()
    found: dict[str, str] = {}
    for fault in checking.check(house.app).faults:
        found[fault.place] = f"{found[fault.place]}; {fault.what}" if fault.place in found else fault.what
    return found


def sql(house: House, statement: str, *values: object, keys: bool = False) -> int:
    settings = house.app.settings
    path = settings.keys / "text-keys.sqlite" if keys else settings.data / "record.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).rowcount


def body(house: House, incident: str, seq: int) -> bytes:
    return list(house.app.record.lines(incident))[seq]


def change_body(house: House, incident: str, seq: int, change: Callable[[bytes], bytes]) -> None:
    changed = change(body(house, incident, seq))
    assert changed != body(house, incident, seq)
    sql(house, "UPDATE event SET body = ? WHERE stream_id = ? AND seq = ?", changed, incident, seq)


def test_a_sound_installation_has_no_fault_and_everything_is_counted(house: House, incident: str) -> None:
    report = checking.check(house.app)
    assert report.faults == []
    assert report.incidents == 2
    assert report.events == house.app.record.position()
    assert report.objects == 1
    assert report.texts >= 4
    assert json.loads(json.dumps(report.as_json()))["faults"] == []


def test_an_empty_installation_has_no_fault(tmp_path: Path) -> None:
    with open_house(tmp_path / "empty") as house:
        assert checking.check(house.app).faults == []


@pytest.mark.parametrize("place", [0, 20, -2])
def test_a_flipped_bit_in_an_event_is_named_with_its_incident(house: House, incident: str, place: int) -> None:
    def flip(line: bytes) -> bytes:
        changed = bytearray(line)
        changed[place] ^= 1
        return bytes(changed)

    change_body(house, incident, 1, flip)
    found = faults(house)
    newest = house.app.record.size(incident)
    assert "another root" in found[f"{incident} checkpoint {newest}"]
    assert f"{incident} tree" in found
    assert not any(name.startswith("INC-2026") for name in found)


def test_an_event_rewritten_with_care_is_still_named_by_every_checkpoint_after_it(house: House, incident: str) -> None:
    def rewrite(line: bytes) -> bytes:
        event = json.loads(line)
        event["actor"]["id"] = "ben"
        return canonical(event)

    change_body(house, incident, 0, rewrite)
    found = faults(house)
    sizes = [size for size, _, _ in house.app.record.stream_proofs(incident).checkpoints]
    for size in sizes:
        assert f"{incident} checkpoint {size}" in found
    assert "opening" in found[f"{incident} in the installation log"]


def test_an_event_that_is_no_json_any_more_is_named_by_its_number(house: House, incident: str) -> None:
    change_body(house, incident, 2, lambda line: line[:-1])
    assert faults(house)[f"{incident} #2"] == "its stored bytes are no event"


def test_an_event_spelt_otherwise_is_named_by_its_number(house: House, incident: str) -> None:
    change_body(house, incident, 2, lambda line: line.replace(b":", b": ", 1))
    assert faults(house)[f"{incident} #2"] == "its stored bytes are not canonical"


def test_a_deleted_event_leaves_a_hole_that_is_named(house: House, incident: str) -> None:
    position = next(place for place, stream in house.app.record.changed(0) if stream == incident)
    sql(house, "DELETE FROM event WHERE stream_id = ? AND seq = 1", incident)
    found = faults(house)
    assert f"position {position + 1}" in found
    assert found[f"{incident} #1"] == "it is out of order or of another incident"


def test_a_deleted_last_event_is_named(house: House, incident: str) -> None:
    last = house.app.record.size(incident) - 1
    sql(house, "DELETE FROM event WHERE stream_id = ? AND seq = ?", incident, last)
    found = faults(house)
    assert f"{incident} tree" in found
    assert f"{incident} checkpoint {last + 1}" in found


def test_a_dropped_incident_shows_though_every_trace_of_it_is_gone(house: House, incident: str) -> None:
    for table in ("event", "stream", "checkpoint", "sealed_text"):
        assert sql(house, f"DELETE FROM {table} WHERE stream_id = ?", incident)
    for table in ("incident_row", "incident_viewer"):
        assert sql(house, f"DELETE FROM {table} WHERE incident_id = ?", incident)
    assert any(what == f"{incident} was opened and is gone" for what in faults(house).values())


def test_an_incident_dropped_with_its_leaves_breaks_the_installation_log(house: House, incident: str) -> None:
    for table in ("event", "stream", "checkpoint"):
        sql(house, f"DELETE FROM {table} WHERE stream_id = ?", incident)
    sql(house, "DELETE FROM installation_leaf WHERE CAST(body AS TEXT) LIKE ?", f"%{incident}%")
    found = faults(house)
    assert "another root" in found["installation log checkpoint"]


def test_every_stream_dropped_is_named_too(house: House, incident: str) -> None:
    for table in ("event", "stream", "checkpoint"):
        sql(house, f"DELETE FROM {table}")
    assert f"{incident} was opened and is gone" in faults(house).values()


def test_a_checkpoint_swapped_for_an_older_one_is_named(house: House, incident: str) -> None:
    newest = house.app.record.size(incident)
    older = house.app.record.checkpoint(incident, house.app.record.stream_proofs(incident).checkpoints[0][0])
    sql(house, "UPDATE checkpoint SET note = ? WHERE stream_id = ? AND size = ?", older, incident, newest)
    assert "another root" in faults(house)[f"{incident} checkpoint {newest}"]


def test_a_checkpoint_of_another_incident_is_named(house: House, incident: str) -> None:
    newest = house.app.record.size(incident)
    other = house.app.record.checkpoint("INC-2026-0001")
    sql(house, "UPDATE checkpoint SET note = ? WHERE stream_id = ? AND size = ?", other, incident, newest)
    assert "it is of another log" in faults(house)[f"{incident} checkpoint {newest}"]


def test_an_old_checkpoint_with_a_broken_signature_is_named(house: House, incident: str) -> None:
    size, _, note = house.app.record.stream_proofs(incident).checkpoints[0]
    changed = note[:-8] + bytes([note[-8] ^ 1]) + note[-7:]
    sql(house, "UPDATE checkpoint SET note = ? WHERE stream_id = ? AND size = ?", changed, incident, size)
    assert f"{incident} checkpoint {size}" in faults(house)


def test_deleted_checkpoints_are_named(house: House, incident: str) -> None:
    sql(house, "DELETE FROM checkpoint WHERE stream_id = ?", incident)
    assert "there is none" in faults(house)[f"{incident} checkpoint"]


def test_a_frontier_that_would_grow_a_wrong_tree_is_named(house: House, incident: str) -> None:
    other = "SELECT frontier FROM stream WHERE stream_id = 'INC-2026-0001'"
    sql(house, f"UPDATE stream SET frontier = ({other}) WHERE stream_id = ?", incident)
    assert f"{incident} tree" in faults(house)


def test_a_changed_leaf_of_the_installation_log_is_named(house: House, incident: str) -> None:
    sql(house, "UPDATE installation_leaf SET body = ? WHERE leaf = 0", b"[]")
    found = faults(house)
    assert found["installation log #0"] == "it is no entry of that log"
    assert "installation log checkpoint" in found


def first_text(house: House, incident: str) -> str:
    return str(house.events(incident)[0].data["name"]["sealed"])


def test_a_deleted_text_key_is_named(house: House, incident: str) -> None:
    text = first_text(house, incident)
    sql(house, "DELETE FROM text_key WHERE text_id = ?", text, keys=True)
    assert "no order erased them" in faults(house)[f"{incident} #0 text {text}"]


def test_a_changed_salt_and_a_changed_ciphertext_are_named(house: House, incident: str) -> None:
    text = first_text(house, incident)
    sql(house, "UPDATE text_key SET salt = zeroblob(32) WHERE text_id = ?", text, keys=True)
    assert faults(house)[f"{incident} #0 text {text}"] == "its words do not fit the commitment"
    sql(house, "UPDATE sealed_text SET ciphertext = zeroblob(40) WHERE text_id = ?", text)
    assert "does not open" in faults(house)[f"{incident} #0 text {text}"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE incident_row SET severity = 'SEV-1' WHERE incident_id = ?",
        "UPDATE incident_row SET restricted = 0 WHERE incident_id = ?",
        "DELETE FROM incident_row WHERE incident_id = ?",
        "INSERT INTO incident_viewer (account, incident_id, until) SELECT 'out', ?, ''",
        "DELETE FROM incident_viewer WHERE incident_id = ?",
    ],
)
def test_an_edited_projection_is_named_and_mended_by_rebuilding(house: House, incident: str, change: str) -> None:
    sql(house, change, incident)
    assert "holdfast rebuild" in faults(house)[f"{incident} projection"]
    assert house.app.rebuild_projections() == 2
    assert faults(house) == {}


def test_a_projection_without_a_record_is_named(house: House, incident: str) -> None:
    sql(
        house,
        "UPDATE incident_row SET incident_id = 'INC-2026-0099' WHERE incident_id = ?",
        incident,
    )
    assert "no record" in faults(house)["INC-2026-0099 projection"]


def stored_object(house: House) -> Path:
    (found,) = (
        path for path in (house.app.settings.data / "objects").rglob("*") if path.is_file() and path.stat().st_size
    )
    return found


def test_a_damaged_and_a_missing_object_are_named(house: House, incident: str) -> None:
    path = stored_object(house)
    path.chmod(0o600)
    path.write_bytes(b"another line of a log\n")
    (named,) = (what for place, what in faults(house).items() if place.startswith(f"{incident} ev-1 object"))
    assert named == "it differs from its name"
    path.unlink()
    (named,) = (what for place, what in faults(house).items() if place.startswith(f"{incident} ev-1 object"))
    assert named == "it is missing"


def test_a_missing_or_changed_pinned_document_is_named(house: House, incident: str) -> None:
    digest = house.app.states.incident(incident).incidents.pins["severity_table"]
    sql(house, "UPDATE document SET body = ? WHERE digest = ?", b"{}", digest)
    assert faults(house)[f"{incident} pinned document {digest[:12]}…"] == "its bytes do not match its digest"
    sql(house, "DELETE FROM document WHERE digest = ?", digest)
    assert faults(house)[f"{incident} pinned document {digest[:12]}…"] == "it is missing"


def test_an_event_whose_data_no_state_can_be_made_of_is_a_fault_and_no_crash(house: House, incident: str) -> None:
    def empty(line: bytes) -> bytes:
        event = json.loads(line)
        event["data"] = {}
        return canonical(event)

    change_body(house, incident, 0, empty)
    assert "do not add up" in faults(house)[incident]


def test_a_rotated_key_is_no_fault_and_a_key_missing_from_the_history_is(house: House, incident: str) -> None:
    house.do("ada", "key-rotate")
    house.do("ada", "message-post", incident, text="after the rotation")
    assert faults(house) == {}
    (old, new) = house.app.verifier_keys()
    house.app.verifier_keys = lambda: [new]
    assert f"{incident} checkpoint {house.app.record.stream_proofs(incident).checkpoints[0][0]}" in faults(house)
    assert old != new
