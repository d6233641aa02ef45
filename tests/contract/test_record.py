"""The record's contract, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from holdfast.app.ports import LostRaceError, RowQuery
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import DamagedError, UnavailableError
from holdfast.kernel.events import event_from
from holdfast.ledger.checkpoints import checkpoint_leaf, opening_leaf, parse
from holdfast.ledger.notes import open_note
from holdfast.ledger.tree import Frontier, consistency_proof, leaf_hash, root_of, verify_consistency
from holdfast.store import schema
from holdfast.store.migrating import current, upgrade
from tests.contract.records import Bench, batch, bench, event, row, words

INC = "INC-2026-0001"
OTHER = "INC-2026-0002"
LATER = "2026-11-23T04:00:00.000Z"

Reopen = Callable[[], Bench]


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """Opens the same record again, as another process would."""
    urls: tuple[str | None, str | None] = (None, None)
    if request.param == "postgresql":
        urls = request.getfixturevalue("postgres_schemas")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(bench(tmp_path, *urls))


@pytest.fixture
def at(reopen: Reopen) -> Bench:
    return reopen()


def root(lines: Iterable[bytes]) -> bytes:
    return root_of([leaf_hash(line) for line in lines])


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Results of ``work(0…count-1)``, all started at one moment in threads of their own."""
    gate = threading.Barrier(count)

    def start(number: int) -> Any:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def insist(at: Bench, stream: str, **more: Any) -> int:
    """Append one event as a writer does who decides again after each lost race; how often it lost."""
    for lost in range(500):
        try:
            at.record.append(batch(stream, at.record.size(stream), **more))
        except LostRaceError:
            continue
        return lost
    raise AssertionError("lost 500 races")


def test_what_was_appended_is_read_by_another_process(at: Bench, reopen: Reopen) -> None:
    told = [event(INC, 0, {"n": 1, "words": "übergabe \u2028 \U0001f512"}), event(INC, 1)]
    assert at.record.append(batch(INC, 0, events=told)) == 2
    again = reopen().record
    assert again.installation_id == at.record.installation_id
    assert again.load(INC) == told
    assert again.load(INC, after=0) == told[1:]
    assert again.load(INC, upto=0) == told[:1]
    assert list(again.lines(INC)) == [one.canonical() for one in told]
    assert (again.size(INC), again.size(OTHER), again.position()) == (2, 0, 2)
    assert again.streams() == [INC]
    assert again.streams_with(["note.taken"]) == [INC]
    assert again.streams_with(["text.erased"]) == []


def test_more_than_a_thousand_lines_are_read_whole_and_in_order(at: Bench) -> None:
    at.record.append(batch(INC, 0, 2001))
    assert [json.loads(line)["seq"] for line in at.record.lines(INC)] == list(range(2001))
    assert [position for position, _ in at.record.changed(0)] == list(range(1, 1001))
    assert [position for position, _ in at.record.changed(1990, 100)] == list(range(1991, 2002))


@pytest.mark.parametrize("expected", [0, 2, 7])
def test_an_append_at_any_other_place_than_the_end_changes_nothing(at: Bench, expected: int) -> None:
    at.record.append(batch(INC, 0))
    before = (at.record.installation_log(), at.record.stream_proofs(INC), at.record.position())
    with pytest.raises(LostRaceError):
        at.record.append(batch(INC, expected, row=row(INC), number=("INC-2026", 1)))
    assert (at.record.installation_log(), at.record.stream_proofs(INC), at.record.position()) == before
    assert at.record.last_number("INC-2026") == 0


def test_of_writers_who_saw_the_same_end_exactly_one_wins(at: Bench) -> None:
    at.record.append(batch(INC, 0))

    def write(_: int) -> bool:
        try:
            at.record.append(batch(INC, 1))
        except LostRaceError:
            return False
        return True

    assert sorted(together(6, write)) == [False] * 5 + [True]
    assert at.record.size(INC) == 2


def test_positions_have_no_gaps_under_writers_to_many_streams_and_processes(at: Bench, reopen: Reopen) -> None:
    processes = [at, reopen()]
    streams = [f"INC-2026-{number:04d}" for number in range(1, 5)]

    def write(number: int) -> None:
        for _ in range(8):
            insist(processes[number % 2], streams[number % 4])

    together(8, write)
    assert [position for position, _ in at.record.changed(0)] == list(range(1, 65))
    for stream in streams:
        assert [one.seq for one in at.record.load(stream)] == list(range(16))
        assert at.checkpoint(stream).root == root(at.record.lines(stream))


def test_a_reader_who_follows_the_position_misses_nothing_while_others_write(at: Bench) -> None:
    done = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        while True:
            last = done.is_set()
            seen.extend(position for position, _ in at.record.changed(seen[-1] if seen else 0))
            if last:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    together(4, lambda number: [insist(at, f"INC-2026-{number:04d}") for _ in range(10)])
    done.set()
    reader.join()
    assert seen == list(range(1, 41))


def test_an_idempotent_answer_is_remembered_with_its_events_and_for_its_account_only(at: Bench) -> None:
    answer = {"version": 0, "words": "ä"}
    at.record.append(batch(INC, 0, account="ana", idempotency_key="key-12345", request="a" * 64, response=answer))
    found = at.record.remembered("ana", "key-12345")
    assert found is not None
    assert (found.request, found.response) == ("a" * 64, answer)
    assert at.record.remembered("bo", "key-12345") is None
    assert at.record.remembered("ana", "key-54321") is None


def test_a_key_that_is_taken_stops_the_append_whole(at: Bench) -> None:
    at.record.append(batch(INC, 0, account="ana", idempotency_key="key-12345", request="a" * 64))
    with pytest.raises(LostRaceError):
        at.record.append(
            batch(
                INC, 1, account="ana", idempotency_key="key-12345", request="b" * 64, row=row(INC), words=[words("x")]
            )
        )
    assert at.record.size(INC) == 1
    assert at.record.row(INC) is None


def test_of_senders_of_one_key_exactly_one_is_carried_out(at: Bench) -> None:
    def send(number: int) -> bool:
        for _ in range(100):
            if at.record.remembered("ana", "key-12345"):
                return False
            try:
                stream = f"INC-2026-{number:04d}"
                at.record.append(batch(stream, 0, account="ana", idempotency_key="key-12345", request="a" * 64))
            except LostRaceError:
                continue
            return True
        raise AssertionError("never decided")

    assert sum(together(6, send)) == 1
    assert at.record.position() == 1


def test_numbers_are_given_without_gap_or_double_by_several_processes(at: Bench, reopen: Reopen) -> None:
    processes = [at, reopen()]

    def declare(number: int) -> list[int]:
        mine = []
        record = processes[number % 2].record
        while len(mine) < 6:
            taken = record.last_number("INC-2026") + 1
            try:
                record.append(batch(f"INC-2026-{taken:04d}", 0, number=("INC-2026", taken)))
            except LostRaceError:
                continue
            mine.append(taken)
        return mine

    given = [one for mine in together(6, declare) for one in mine]
    assert sorted(given) == list(range(1, 37))
    assert reopen().record.last_number("INC-2026") == 36
    assert at.record.last_number("EX-2026") == 0


def test_a_failed_append_gives_its_number_back(at: Bench) -> None:
    at.record.append(batch("INC-2026-0001", 0, number=("INC-2026", 1), account="a", idempotency_key="key-12345"))
    with pytest.raises(LostRaceError):  # the key is taken, after the number was
        at.record.append(batch("INC-2026-0002", 0, number=("INC-2026", 2), account="a", idempotency_key="key-12345"))
    for _ in range(3):
        taken = at.record.last_number("INC-2026") + 1
        try:
            at.record.append(batch(f"INC-2026-{taken:04d}", 0, number=("INC-2026", taken)))
        except LostRaceError:
            continue
        break
    assert sorted(at.record.streams()) == ["INC-2026-0001", "INC-2026-0002"]


def test_every_checkpoint_verifies_and_is_consistent_with_the_one_before(at: Bench) -> None:
    sizes = [1, 3, 4, 8, 9, 15]
    for before, size in zip([0, *sizes], sizes, strict=False):
        at.record.append(batch(INC, before, size - before))
    lines = list(at.record.lines(INC))
    leaves = [leaf_hash(line) for line in lines]
    points = [at.checkpoint(INC, size) for size in sizes]
    assert at.checkpoint(INC) == points[-1]
    assert at.record.checkpoint(INC, 2) is None
    for older, newer in itertools.pairwise(points):
        assert newer.origin == at.record.origin(INC)
        assert newer.root == root(lines[: newer.size])
        proof = consistency_proof(leaves[: newer.size], older.size)
        assert verify_consistency(older.size, older.root, newer.size, newer.root, proof)
    kept = at.record.stream_proofs(INC)
    assert kept.size == 15
    assert [size for size, _, _ in kept.checkpoints] == sizes
    assert Frontier.from_bytes(kept.frontier).root() == points[-1].root


def test_the_installation_log_holds_every_opening_and_every_checkpoint(at: Bench) -> None:
    at.record.append(batch(INC, 0, 2))
    at.record.append(batch(OTHER, 0))
    at.record.append(batch(INC, 2))
    note, leaves = at.record.installation_log()
    first, last = list(at.record.lines(INC)), at.checkpoint(INC)
    only = list(at.record.lines(OTHER))
    assert leaves == [
        opening_leaf(INC, leaf_hash(first[0])),
        checkpoint_leaf(INC, 2, root(first[:2])),
        opening_leaf(OTHER, leaf_hash(only[0])),
        checkpoint_leaf(OTHER, 1, root(only)),
        checkpoint_leaf(INC, 3, last.root),
    ]
    point = parse(open_note(note, at.signer.verifier_keys())[0])
    assert (point.origin, point.size, point.root) == (at.record.log_origin, 5, root(leaves))
    proof = at.record.installation_proof(INC)
    assert (proof.note, list(proof.leaves), proof.opening, proof.newest) == (note, leaves, 0, 4)


def test_an_empty_record_has_a_signed_empty_log(at: Bench) -> None:
    note, leaves = at.record.installation_log()
    assert leaves == []
    assert parse(open_note(note, at.signer.verifier_keys())[0]).size == 0


def test_a_key_rotated_midway_leaves_every_checkpoint_verifiable(at: Bench) -> None:
    at.record.append(batch(INC, 0))
    old = at.signer.key
    at.signer.rotate()
    at.record.append(batch(INC, 1))
    one, two = at.record.checkpoint(INC, 1), at.record.checkpoint(INC, 2)
    assert one is not None
    assert two is not None
    open_note(one, [old])
    with pytest.raises(DamagedError):
        open_note(two, [old])
    open_note(two, [at.signer.key])
    assert at.checkpoint(INC, 1).size == 1


def test_a_rotation_while_others_write_never_yields_a_checkpoint_that_names_another_key(at: Bench) -> None:
    stop = threading.Event()

    def write(number: int) -> None:
        if number == 0:
            for _ in range(15):
                at.signer.rotate()
            stop.set()
        else:
            while not stop.is_set():
                insist(at, f"INC-2026-{number:04d}")

    together(3, write)
    keys = at.signer.verifier_keys()
    for stream in at.record.streams():
        for size, _, note in at.record.stream_proofs(stream).checkpoints:
            assert parse(open_note(note, keys)[0]).size == size


def test_rows_are_written_with_the_events_and_replaced_by_the_next(at: Bench) -> None:
    at.record.append(batch(INC, 0, row=row(INC, restricted=True, viewers={"ana": "", "bo": LATER})))
    stored = at.record.row(INC)
    assert stored is not None
    assert stored.viewers == {"ana": "", "bo": LATER}
    at.record.append(batch(INC, 1, row=row(INC, 1, restricted=True, frozen=True, viewers={"cem": ""})))
    assert at.record.row(INC) == row(INC, 1, restricted=True, frozen=True, viewers={"cem": ""})


def seen(at: Bench, viewer: str, now: str = "2026-11-23T03:30:00.000Z", **more: Any) -> list[str]:
    return [one.incident_id for one in at.record.rows(RowQuery(viewer, now, **more))]


def test_restricted_rows_are_listed_for_those_let_in_until_their_time_is_over(at: Bench) -> None:
    at.record.append(batch(INC, 0, row=row(INC)))
    at.record.append(batch(OTHER, 0, row=row(OTHER, restricted=True, viewers={"ana": "", "bo": LATER})))
    assert seen(at, "ana") == [OTHER, INC]
    assert seen(at, "bo") == [OTHER, INC]
    assert seen(at, "bo", now=LATER) == [INC]
    assert seen(at, "eve") == [INC]
    assert seen(at, "") == [INC]
    assert seen(at, "eve", everything=True) == [OTHER, INC]


def test_rows_are_found_by_status_kind_and_freeze_and_paged_without_loss(at: Bench) -> None:
    for number in range(7):
        stream = f"INC-2026-{number:04d}"
        told = row(
            stream,
            status="closed" if number == 3 else "contained",
            kind="exercise" if number == 4 else "real",
            frozen=number == 5,
            declared_at=f"2026-11-2{number // 2}T00:00:00.000Z",
        )
        at.record.append(batch(stream, 0, row=told))
    assert seen(at, "ana", status="closed") == ["INC-2026-0003"]
    assert "INC-2026-0003" not in seen(at, "ana", status="open")
    assert seen(at, "ana", kind="exercise") == ["INC-2026-0004"]
    assert seen(at, "ana", frozen=True) == ["INC-2026-0005"]
    paged: list[str] = []
    before: tuple[str, str] | None = None
    while found := at.record.rows(RowQuery("ana", LATER, limit=2, before=before)):
        paged += [one.incident_id for one in found]
        before = (found[-1].declared_at, found[-1].incident_id)
    assert paged == [f"INC-2026-{number:04d}" for number in reversed(range(7))]


def test_projections_dropped_and_written_anew_are_equal(at: Bench) -> None:
    kept = [row(INC), row(OTHER, restricted=True, viewers={"ana": "", "bo": LATER})]
    for one in kept:
        at.record.append(batch(one.incident_id, 0, row=one))
    with at.databases.record.begin() as connection:
        connection.execute(delete(schema.incident_viewer))
        connection.execute(update(schema.incident_row).values(restricted=False, severity="SEV-4"))
    assert at.record.replace_rows(kept) == 2
    assert [at.record.row(one.incident_id) for one in kept] == kept


def test_events_of_unknown_types_and_versions_are_kept_word_for_word_and_proven(at: Bench) -> None:
    strange = event(INC, 0, {"deep": [{"from": "the future"}, None, 2**53 - 1]}, "quantum.entangled")
    at.record.append(batch(INC, 0, events=[strange]))
    assert at.record.load(INC) == [strange]
    assert at.checkpoint(INC).root == root([strange.canonical()])


def test_stored_bytes_are_the_canonical_bytes_whatever_the_database(at: Bench) -> None:
    told = event(INC, 0, {"z": 1, "a": "\u20ac", "\U0001f600": False, "\ufb33": [1]})
    at.record.append(batch(INC, 0, events=[told]))
    (line,) = at.record.lines(INC)
    assert line == canonical(json.loads(line)) == told.canonical()
    assert event_from(json.loads(line)) == told


def test_documents_are_kept_once_under_their_digest(at: Bench) -> None:
    together(4, lambda _: at.record.put_document("d" * 64, b"{}"))
    assert at.record.document("d" * 64) == b"{}"
    assert at.record.document("e" * 64) is None


def test_an_upload_is_bound_to_its_incident_and_to_no_other(at: Bench) -> None:
    now = event(INC, 0).recorded_at
    for _ in range(2):
        at.record.note_upload(INC, "a" * 64, 12, "ana", now)
    at.record.note_upload(OTHER, "a" * 64, 12, "bo", now)
    assert at.record.upload(INC, "a" * 64) == 12
    assert at.record.upload(INC, "b" * 64) is None
    at.record.forget_upload(INC, "a" * 64)
    assert at.record.upload(INC, "a" * 64) is None
    assert at.record.bound("a" * 64)
    at.record.forget_upload(OTHER, "a" * 64)
    assert not at.record.bound("a" * 64)


def test_an_append_that_breaks_midway_leaves_nothing_behind(at: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    at.record.append(batch(INC, 0, row=row(INC)))
    before = (at.record.installation_log(), at.record.stream_proofs(INC), at.record.position(), at.record.row(INC))

    def break_off(*_: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(at.record, "_write_rest", break_off)
    with pytest.raises(RuntimeError):
        at.record.append(batch(INC, 1, row=row(INC, 1), number=("INC-2026", 1)))
    monkeypatch.undo()
    after = (at.record.installation_log(), at.record.stream_proofs(INC), at.record.position(), at.record.row(INC))
    assert after == before
    insist(at, INC)
    assert at.record.changed(0) == [(1, INC), (2, INC)]


def test_words_that_lost_a_race_are_appended_with_the_next_try(at: Bench) -> None:
    said = words("who has the pager?")
    told = event(INC, 1, {"text": said.reference.as_json()})
    at.record.append(batch(INC, 0))
    with pytest.raises(LostRaceError):
        at.record.append(batch(INC, 0, events=[told], words=[said]))
    at.record.append(batch(INC, 1, events=[told], words=[said]))
    assert at.texts.read([said.reference.text_id]) == {said.reference.text_id: "who has the pager?"}


def test_migrations_are_done_once_and_a_newer_database_is_refused(at: Bench) -> None:
    assert current(at.databases.record) is not None
    upgrade(at.databases.record)
    with at.databases.record.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(UnavailableError) as refused:
        upgrade(at.databases.record)
    assert refused.value.code == "database-newer"
