"""A pack leaves only after it is recorded who gets what and why, and it verifies."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.app import exporting
from holdfast.evidence.packs.verify import verify
from holdfast.kernel.errors import ForbiddenError, NotFoundError
from holdfast.ledger.notes import VerifierKey
from tests.house import House, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("exporting")) as opened:
        yield opened


def pack(house: House, incident: str, account: str = "ada", **more: object) -> io.BytesIO:
    out = io.BytesIO()
    exporting.export(
        house.app,
        incident,
        house.viewer(account),
        out,
        recipient="the court",
        purpose="to show",
        **more,  # type: ignore[arg-type]
    )
    out.seek(0)
    return out


def test_the_export_is_recorded_first_and_the_pack_holds_that_record(house: House) -> None:
    incident = house.commanded()
    item = house.collect(incident)
    out = pack(house, incident)
    assert house.types(incident)[-1] == "evidence.exported"
    assert house.events(incident)[-1].actor.id == "ada"
    keys = [VerifierKey.from_vkey(vkey) for vkey in house.app.verifier_keys()]
    verify(out, keys)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        lines = next(
            archive.extractfile(member) for member in archive if member.name.endswith("data/record/events.jsonl")
        )
        assert lines is not None
        held = lines.read().splitlines()
    assert held == list(house.app.record.lines(incident))
    assert item.encode() in held[-1]


def test_a_pack_made_after_a_rotation_verifies_with_the_present_key_alone(house: House) -> None:
    incident = house.commanded()
    house.collect(incident)
    house.do("ada", "key-rotate")
    verify(pack(house, incident), [VerifierKey.from_vkey(house.app.verifier_keys()[-1])])


def test_what_is_withheld_is_not_in_the_pack_and_the_rest_verifies(house: House) -> None:
    incident = house.commanded()
    kept, held_back = house.collect(incident, body=b"kept\n"), house.collect(incident, body=b"held back\n")
    out = pack(house, incident, withheld=[held_back])
    assert b"held back\n" not in out.getvalue()
    assert b"kept\n" in out.getvalue()
    verify(out, [VerifierKey.from_vkey(vkey) for vkey in house.app.verifier_keys()])
    assert house.events(incident)[-1].data["evidence"] == [kept]


def test_a_pack_that_may_not_be_made_records_nothing(house: House) -> None:
    incident, hidden = house.commanded(), house.commanded(sensitivity="restricted")
    house.collect(incident)
    before = house.app.record.position()
    with pytest.raises(ForbiddenError):
        pack(house, incident, "eye")
    with pytest.raises(NotFoundError):
        pack(house, hidden, "out")
    assert house.app.record.position() == before


def test_every_export_is_another_entry(house: House, tmp_path: Path) -> None:
    incident = house.commanded()
    house.collect(incident)
    for account in ("ada", "aud"):
        pack(house, incident, account)
    assert house.types(incident).count("evidence.exported") == 2
