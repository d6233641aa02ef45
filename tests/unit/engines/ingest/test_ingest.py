"""Files, folders and archives become rows, and every record is accounted for."""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import lzma
import os
import socket
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest import Limits, ParquetIngest
from holdfast.engines.ingest.columns import SCHEMA
from holdfast.investigation import readers
from holdfast.investigation.activity import INPUTS, place
from holdfast.investigation.reading import Mapped, Proof, Reader
from tests.unit.engines.ingest.helping import (
    NOW,
    counts,
    event,
    ingest,
    native,
    packed,
    reasons,
    rows,
    tarred,
    write,
    zipped,
)


def test_a_native_file_becomes_rows_that_lead_back_to_it(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json.gz": packed(native(event(1), event(2)))})
    first, second = rows(made)
    assert (first["operation"], first["target_uid"]) == ("GetBucketAcl", "arn:aws:s3:::bucket-1")
    assert place(second["row_id"]) == (1, 1)
    assert (second["src_file"], second["src_ord"]) == ("logs/a.json.gz", 1)
    assert second["src_digest"] == made.inputs[0]["sha256"]
    assert second["hour"] == second["time_us"] // 3_600_000_000


def test_the_inputs_table_has_its_columns(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"111_CloudTrail_eu-west-1_20260501T1010Z_x.json": native(event(5), event(60))})
    (one,) = made.inputs
    assert list(one) == [column.name for column in INPUTS]
    assert (one["kind"], one["reader"], one["proof"]) == ("log", "aws.cloudtrail", "real_data")
    assert one["last_us"] - one["first_us"] == 55_000_000
    assert one["delivered_us"] == rows(made)[0]["delivered_us"] == 1_777_630_200_000_000
    assert one["read_us"] == NOW


def test_parts_have_the_activity_columns_and_belong_to_their_owner(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1))})
    (part,) = made.parts
    assert pa.parquet.read_schema(part).equals(SCHEMA)
    assert part.stat().st_mode & 0o777 == 0o600
    assert part.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "pack",
    [packed, bz2.compress, lzma.compress, lambda content: packed(packed(content)), lambda content: content],
    ids=["gzip", "bzip2", "xz", "gzip twice", "plain"],
)
def test_compressions_are_told_by_content(tmp_path: Path, pack: object) -> None:
    assert counts(ingest(tmp_path, {"a": pack(native(event(1)))})) == {"logs/a": (1, 1, 0, 0)}  # type: ignore[operator]


def test_zstandard_is_read(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(native(event(1), event(2)))
    content = sink.getvalue().to_pybytes()
    assert counts(ingest(tmp_path, {"a.zst": content})) == {"logs/a.zst": (2, 2, 0, 0)}


def test_a_truncated_zstandard_file_is_named(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(b"\n".join(json.dumps(event(number)).encode() for number in range(5000)))
    made = ingest(tmp_path, {"a.zst": sink.getvalue().to_pybytes()[:-500]})
    assert made.inputs[0]["quarantined"] == 1
    assert made.inputs[0]["rows"] > 1000


def test_gzip_of_several_members_is_read_whole(tmp_path: Path) -> None:
    lines = [json.dumps(event(number)).encode() + b"\n" for number in range(3)]
    assert counts(ingest(tmp_path, {"a.gz": b"".join(map(packed, lines))}))["logs/a.gz"] == (3, 3, 0, 0)


def test_what_a_truncated_file_still_tells_is_read(tmp_path: Path) -> None:
    content = b"\n".join(json.dumps(event(number)).encode() for number in range(2000))
    made = ingest(tmp_path, {"a.gz": packed(content)[:-2000]})
    (one,) = made.inputs
    assert one["rows"] > 100
    assert one["quarantined"] == 1
    assert one["reason"] == "truncated (1)"


def test_a_truncated_document_gives_its_whole_records(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1), event(2), event(3))[:-200]})
    assert counts(made) == {"logs/a.json": (3, 2, 0, 1)}
    assert "broken off" in str(reasons(made)["logs/a.json"])


def test_damaged_compression_is_named(tmp_path: Path) -> None:
    content = bytearray(packed(b"\n".join(json.dumps(event(number)).encode() for number in range(500))))
    content[len(content) // 2] ^= 0xFF
    made = ingest(tmp_path, {"a.gz": bytes(content)})
    assert made.inputs[0]["quarantined"] >= 1
    assert "damaged" in str(made.inputs[0]["reason"])


@pytest.mark.parametrize("pack", [tarred, zipped, lambda files: tarred(files, "w")], ids=["tar.gz", "zip", "tar"])
def test_members_of_archives_are_inputs(tmp_path: Path, pack: object) -> None:
    files = {"x/a.json": native(event(1)), "x/b.json.gz": packed(native(event(2), event(3))), "x/empty": b""}
    made = ingest(tmp_path, {"all.bin": pack(files), "z.json": native(event(9))})  # type: ignore[operator]
    assert counts(made) == {
        "logs/all.bin": (0, 0, 0, 0),
        "logs/z.json": (1, 1, 0, 0),
        "logs/all.bin!x/a.json": (1, 1, 0, 0),
        "logs/all.bin!x/b.json.gz": (2, 2, 0, 0),
        "logs/all.bin!x/empty": (0, 0, 0, 0),
    }
    assert [one["kind"] for one in made.inputs] == ["archive", "log", "log", "log", "unrecognised"]
    assert len({one["sha256"] for one in made.inputs if "all.bin" in one["path"]}) == 1


def test_archives_within_archives_are_opened_to_a_depth(tmp_path: Path) -> None:
    inner = zipped({"a.json": native(event(1))})
    made = ingest(
        tmp_path,
        {
            "two.zip": zipped({"one.zip": inner}),
            "deep.zip": zipped({"3": zipped({"2": zipped({"1": zipped({"0": inner})})})}),
        },
    )
    assert counts(made)["logs/two.zip!one.zip!a.json"] == (1, 1, 0, 0)
    deep = [one for one in made.inputs if one["path"].startswith("logs/deep.zip!")]
    assert [one["quarantined"] for one in deep] == [1]
    assert "more than 4 times" in deep[0]["reason"]


def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", native(event(1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", native(event(2)))
    made = ingest(tmp_path, {"x.zip": out.getvalue()})
    assert [one["path"] for one in made.inputs] == ["logs/x.zip", "logs/x.zip!a", "logs/x.zip!a#2"]


def test_too_many_members_are_named(tmp_path: Path) -> None:
    files = {f"{number}": native(event(number)) for number in range(5)}
    made = ingest(tmp_path, {"x.tar": tarred(files, "w")}, limits=Limits(members=3))
    assert sum(one["rows"] for one in made.inputs) == 3
    assert "more than 3 members: the rest was not read (1)" in reasons(made).values()


def test_links_and_special_files_are_named_and_not_opened(tmp_path: Path) -> None:
    logs = write(tmp_path, {"a.json": native(event(1))})
    (tmp_path / "outside.json").write_bytes(native(event(7)))
    (logs / "link.json").symlink_to(tmp_path / "outside.json")
    (logs / "loop").symlink_to(logs)
    os.mkfifo(logs / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(logs / "socket"))
        made = ingest(tmp_path)
    assert reasons(made) == {
        "logs/a.json": None,
        "logs/link.json": "a link: not followed (1)",
        "logs/loop": "a link: not followed (1)",
        "logs/pipe": "a special file: not opened (1)",
        "logs/socket": "a special file: not opened (1)",
    }


def test_folders_too_deep_are_named(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a/b/c/d.json": native(event(1))}, limits=Limits(folders=2))
    assert reasons(made) == {"logs/a/b": "folders more than 2 deep (1)"}


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    made = ParquetIngest(lambda: NOW, 0)([Source(tmp_path / "gone", "gone")], tmp_path / "out")
    assert made.inputs[0]["reason"] == "cannot be opened: no such file or directory (1)"
    assert made.parts == ()


def test_nothing_given_gives_nothing(tmp_path: Path) -> None:
    made = ParquetIngest(lambda: NOW)([], tmp_path / "out")
    assert (made.inputs, made.parts, made.quarantined) == ((), (), ())
    assert "trust_edges" in made.tables
    assert "conflicts" in made.tables


def test_what_nobody_recognises_is_one_quarantined_record(tmp_path: Path) -> None:
    made = ingest(
        tmp_path,
        {
            "a.txt": b"dear diary\nnothing\n",
            "b.json": b'{"x": 1}',
            "c.bin": bytes(range(256)) * 9,
            "d": b"",
            "e": b" \n\n",
        },
    )
    assert counts(made) == {
        "logs/a.txt": (1, 0, 0, 1),
        "logs/b.json": (1, 0, 0, 1),
        "logs/c.bin": (1, 0, 0, 1),
        "logs/d": (0, 0, 0, 0),
        "logs/e": (0, 0, 0, 0),
    }
    assert list(reasons(made).values()) == [
        "plain text that no reader recognises (1)",
        "JSON that no reader recognises (1)",
        "binary that no reader recognises (1)",
        "empty",
        "empty",
    ]
    assert {one["kind"] for one in made.inputs} == {"unrecognised"}


def test_mixed_records_are_each_read_by_their_reader(tmp_path: Path) -> None:
    other = {
        "@timestamp": 1_777_629_600_000,
        "action": "org.add_member",
        "actor": "ana",
        "org": "corp",
        "_document_id": "d1",
    }
    lines = [event(1), other, {"what": "is this"}, event(2)]
    made = ingest(tmp_path, {"a.jsonl": b"\n".join(json.dumps(line).encode() for line in lines)})
    assert counts(made) == {"logs/a.jsonl": (4, 3, 0, 1)}
    assert [row["source"] for row in rows(made)] == ["aws.cloudtrail", "github.audit", "aws.cloudtrail"]
    assert [row["src_ord"] for row in rows(made)] == [0, 1, 3]
    assert made.quarantined == ({"input_no": 1, "ordinal": 2, "reason": "no reader recognises it"},)


def test_records_before_the_first_recognised_one_are_counted(tmp_path: Path) -> None:
    lines = [{"odd": number} for number in range(30_000)] + [event(1)]
    made = ingest(tmp_path, {"a.jsonl": b"\n".join(json.dumps(line).encode() for line in lines)})
    assert counts(made) == {"logs/a.jsonl": (30_001, 1, 0, 30_000)}
    assert len(made.quarantined) == 100


def test_a_mapping_reads_what_nobody_recognises(tmp_path: Path) -> None:
    mapping = Mapped(
        "billing", {"time_us": "at", "actor_uid": "user.email", "operation": "what", "service": "=billing"}
    )
    told = {"at": "2026-05-01T00:00:00Z", "user": {"email": "ana@corp"}, "what": "refund"}
    table = b"at;user.email;what\n2026-05-01T01:00:00Z;bo@corp;pay\n"
    made = ingest(tmp_path, {"a.json": json.dumps([told]).encode(), "b.csv": table}, mapping=mapping)
    assert [(row["actor_uid"], row["operation"], row["service"]) for row in rows(made)] == [
        ("ana@corp", "refund", "billing"),
        ("bo@corp", "pay", "billing"),
    ]


def test_secrets_never_reach_the_parts(tmp_path: Path) -> None:
    issued = {"credentials": {"accessKeyId": "ASIANEW", "sessionToken": "IQoJverysecret", "expiration": "x"}}
    told = event(1, eventSource="sts.amazonaws.com", eventName="AssumeRole", responseElements=issued)
    made = ingest(tmp_path, {"a.json": native(told)})
    (row,) = rows(made)
    assert row["issued_credential_uid"] == "ASIANEW"
    assert "[redacted sessionToken]" in row["response"]
    assert b"IQoJverysecret" not in b"".join(part.read_bytes() for part in made.parts)


def test_captured_state_comes_before_records_and_counts_none(tmp_path: Path) -> None:
    manifest = (
        b"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: everything}\n"
        b"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
        b"subjects: [{kind: ServiceAccount, name: deployer, namespace: shop}]\n"
    )
    made = ingest(tmp_path, {"a.yaml": manifest, "b.json": native(event(1))})
    assert counts(made)["logs/a.yaml"] == (0, 0, 0, 0)
    assert made.inputs[0]["kind"] == "state"
    state = [row for _, found in made.tables.values() for row in found]
    assert state
    assert {place(row["row_id"])[0] for row in state} == {1}


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    logs = write(tmp_path, {"a.json": native(event(1)), "b.json": native(event(2))})
    heard: list[tuple[int, int, str]] = []
    ParquetIngest(lambda: NOW, 0)([Source(logs, "logs")], tmp_path / "out", lambda *told: heard.append(told))
    assert heard[-1][0] == heard[-1][1] == sum(path.stat().st_size for path in logs.iterdir())


def test_the_item_of_an_incident_is_named(tmp_path: Path) -> None:
    logs = write(tmp_path, {"a.json": native(event(1))})
    made = ParquetIngest(lambda: NOW, 0)([Source(logs / "a.json", "a.json", "item-7")], tmp_path / "out")
    assert (made.inputs[0]["item"], made.inputs[0]["path"]) == ("item-7", "a.json")


_DIGEST = {
    "awsAccountId": "111122223333",
    "digestStartTime": "2026-05-01T10:00:00Z",
    "digestEndTime": "2026-05-01T11:00:00Z",
    "digestS3Bucket": "trail",
    "digestS3Object": "AWSLogs/x.json.gz",
    "digestPublicKeyFingerprint": "00",
    "digestSignatureAlgorithm": "SHA256withRSA",
    "previousDigestS3Bucket": None,
    "previousDigestS3Object": None,
    "previousDigestHashValue": None,
    "previousDigestHashAlgorithm": None,
    "previousDigestSignature": None,
    "newestEventTime": None,
    "oldestEventTime": None,
    "logFiles": [],
}


def test_inflated_bytes_are_hashed_where_a_digest_file_asks_for_it(tmp_path: Path) -> None:
    content = native(event(1))
    told = hashlib.sha256(content).hexdigest()
    files = {"a.json.gz": packed(content), "b.json": content, "c.tar": tarred({"d.gz": packed(content)}, "w")}
    with_digest = ingest(tmp_path / "x", {**files, "digest.json": json.dumps(_DIGEST).encode()})
    found = {one["path"]: one["content_sha256"] for one in with_digest.inputs}
    assert found == {
        "logs/a.json.gz": told,
        "logs/b.json": None,
        "logs/c.tar": None,
        "logs/c.tar!d.gz": told,
        "logs/digest.json": None,
    }
    without = ingest(tmp_path / "y", files)
    assert {one["content_sha256"] for one in without.inputs} == {None}


def test_an_unproven_reader_is_off_until_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(record: object) -> dict[str, object]:
        return {"operation": str(record), "time_us": 1}

    unproven = Reader("new.log", "A new log", "lines", Proof("unproven", ""), lambda line: "new" in line, read)
    monkeypatch.setattr(readers, "shipped", lambda: (unproven,))
    off = ingest(tmp_path / "off", {"a.log": b"a new thing\nanother new thing\n"})
    assert reasons(off) == {
        "logs/a.log": "A new log: its reader is unproven and therefore off; switch it on with --unproven new.log (1)"
    }
    on = ingest(tmp_path / "on", {"a.log": b"a new thing\nother\n"}, unproven=frozenset({"new.log"}))
    assert counts(on) == {"logs/a.log": (2, 1, 0, 1)}
    assert on.inputs[0]["proof"] == "unproven"


def test_a_reader_that_fails_quarantines_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(record: str) -> dict[str, object]:
        return {"operation": record.split(":")[1]}

    frail = Reader("frail", "Frail", "lines", Proof("real_data", ""), lambda line: True, read)
    monkeypatch.setattr(readers, "shipped", lambda: (frail,))
    made = ingest(tmp_path, {"a.log": b"x:1\nnothing\n"})
    assert reasons(made) == {"logs/a.log": "the reader failed: IndexError (1)"}
    assert rows(made)[0]["source"] == "frail"


def test_nothing_is_left_beside_the_parts(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1), event(1)), "b.json": native(event(1))})
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == list(made.parts)


def test_an_interrupted_run_leaves_no_half_result(tmp_path: Path) -> None:
    logs = write(tmp_path, {"a.json": native(event(1))})

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ParquetIngest(lambda: NOW, 0)([Source(logs, "logs")], tmp_path / "out", interrupt)
    assert list((tmp_path / "out").iterdir()) == []
