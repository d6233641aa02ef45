"""Hostile input costs bounded memory and time, is counted, and never ends a run."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from holdfast.engines.ingest import Limits
from holdfast.investigation.framing import Chunks, Fault, csv_records
from holdfast.investigation.framing import Limits as Framing
from tests.unit.engines.ingest.helping import counts, event, ingest, native, packed, reasons, rows, zipped

_LINE = json.dumps(event(1)).encode()
_MEASURE = r"""
import json, re, sys
from pathlib import Path
from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest import ParquetIngest
made = ParquetIngest(lambda: 0, 0)([Source(Path(sys.argv[1]), "logs")], Path(sys.argv[2]))
# Not ru_maxrss: that is at least what the process had that started this one.
most = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
told = {"inputs": made.inputs, "mb": int(most[1]) / 1024}
print(json.dumps(told))
"""


def measured(folder: Path) -> tuple[list[dict[str, object]], float]:
    """The inputs, and the most memory that a process of its own needed, MB."""
    out = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder / "logs"), str(folder / "out")],
        capture_output=True,
        check=True,
        timeout=120,
    )
    told = json.loads(out.stdout)
    return told["inputs"], told["mb"]


def test_a_line_of_a_gigabyte_is_one_record_that_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with (tmp_path / "logs" / "a.jsonl").open("wb") as file:
        file.write(_LINE + b'\n{"a": "')
        for _ in range(256):
            file.write(b"x" * (4 << 20))
        file.write(b'"}\n' + json.dumps(event(2)).encode() + b"\n")
    (one,), mb = measured(tmp_path)
    assert (one["records"], one["rows"], one["quarantined"]) == (3, 2, 1)
    assert one["reason"] == "line over 16 MB (1)"
    assert mb < 500


def test_a_gigabyte_of_text_without_an_end_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name, begun in (("a.log", b"May  1 10:00:00 "), ("b.json", b'{"Records": [{"a": "'), ("c.csv", b'a,b\n1,"')):
        with (tmp_path / "logs" / name).open("wb") as file:
            file.write(begun)
            for _ in range(64):
                file.write(b"x" * (4 << 20))
    inputs, mb = measured(tmp_path)
    assert [one["quarantined"] for one in inputs] == [1, 1, 1]
    assert mb < 700


def test_a_bomb_is_broken_off(tmp_path: Path) -> None:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        for _ in range(300):
            file.write(b" " * (1 << 20))
    with zipfile.ZipFile(tmp_path / "z", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"0" * (300 << 20))
    made = ingest(
        tmp_path,
        {"a.gz": out.getvalue(), "b.gz": gzip.compress(out.getvalue()), "c.zip": (tmp_path / "z").read_bytes()},
    )
    assert counts(made)["logs/a.gz"] == (1, 0, 0, 1)
    told = [reason for path, reason in reasons(made).items() if path != "logs/c.zip"]
    assert all("inflates to more than 300 times its size (1)" in str(reason) for reason in told)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 100_000,
        b'{"Records":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}",
        (b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"\n") * 3,
        b"- " * 50_000,
        b"a: " + b"[" * 50_000,
        b"a: &a [x]\n"
        + b"".join(
            b"b%d: &b%d [%s]\n" % (n, n, b",".join([b"*a" if n == 0 else b"*b%d" % (n - 1)] * 9)) for n in range(12)
        ),
        b"a: &a [*a]\nkind: x\n",
    ],
    ids=[
        "open",
        "deep",
        "deep objects",
        "deep record",
        "deep lines",
        "yaml list",
        "yaml flow",
        "yaml bomb",
        "yaml loop",
    ],
)
def test_deep_nesting_and_bombs_are_one_unread_input(tmp_path: Path, content: bytes) -> None:
    begun = time.monotonic()
    made = ingest(tmp_path, {"a": content})
    assert made.inputs[0]["rows"] == 0
    assert made.inputs[0]["quarantined"] >= 1
    assert time.monotonic() - begun < 10


def test_a_deep_record_among_others_is_quarantined_alone(tmp_path: Path) -> None:
    deep: dict[str, object] = {}
    for _ in range(400):
        deep = {"a": deep}
    made = ingest(tmp_path, {"a.json": native(event(1), event(2, requestParameters=deep), event(3))})
    assert counts(made) == {"logs/a.json": (3, 2, 0, 1)}


@pytest.mark.parametrize(
    ("changed", "columns"),
    [
        ({"eventTime": "2026-13-41T99:99:99Z"}, None),
        ({"eventTime": ["no"]}, None),
        ({"eventTime": None}, {"time_us": None, "hour": None}),
        ({"awsRegion": 7}, {"region": "7"}),
        ({"awsRegion": {"x": 1}}, {"region": '{"x":1}'}),
        ({"userAgent": ["a"]}, None),
        ({"readOnly": "true"}, {"access": "read"}),
        ({"readOnly": None, "eventName": "PutObject"}, {"access": "write"}),
        ({"requestParameters": "text"}, {"request": '"text"'}),
        ({"eventID": 12345678901234567890123}, {}),
        ({"sourceIPAddress": "075.050.255.67"}, {"src_ip": "075.050.255.67"}),
        ({"sourceIPAddress": "ec2.amazonaws.com"}, {"src_ip": None, "src_service": "ec2.amazonaws.com"}),
        ({"userIdentity": None}, {"actor_uid": None, "actor_type": "unknown"}),
        ({"userIdentity": "text"}, {"actor_uid": None}),
        ({"recipientAccountId": None}, {"account_uid": "111122223333"}),
    ],
)
def test_odd_values_are_kept_as_text_or_quarantined(
    tmp_path: Path, changed: dict[str, object], columns: dict[str, object] | None
) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1, **changed), event(2))})
    if columns is None:
        assert counts(made) == {"logs/a.json": (2, 1, 0, 1)}
    else:
        assert counts(made) == {"logs/a.json": (2, 2, 0, 0)}
        assert columns.items() <= rows(made)[0].items()


def test_bytes_that_are_no_text_are_replaced_and_the_record_is_kept(tmp_path: Path) -> None:
    lines = [
        _LINE.replace(b"aws-cli/2", b"aws\xff\xfe"),
        _LINE.replace(b"aws-cli/2", b"x\\ud800y"),
        _LINE.replace(b'"aws-cli/2"', b"NaN"),
    ]
    lines = [line.replace(b"000000001", b"00000009%d" % number) for number, line in enumerate(lines)]
    made = ingest(tmp_path, {"a.jsonl": b"\r\n".join(lines), "b.jsonl": b"\x00" * 50 + _LINE + b"\n" + b"\x00" * 20})
    assert counts(made)["logs/a.jsonl"] == (3, 3, 0, 0)
    assert [row["user_agent"] for row in rows(made)][:3] == ["aws\ufffd\ufffd", "x?y", "nan"]
    assert made.inputs[1]["rows"] == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks_of_byte_order_are_understood(tmp_path: Path, encoding: str) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1)).decode().encode(encoding)})
    assert counts(made) == {"logs/a.json": (1, 1, 0, 0)}


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    names = ",".join(f"c{number}" for number in range(10_000))
    wide = (
        f"eventID,eventName,eventSource,eventTime,{names}\n1,GetUser,iam.amazonaws.com,2026-05-01T00:00:00Z,{names}\n"
    )
    made = ingest(
        tmp_path, {"a.csv": wide.encode(), "b.json": native({**event(2), **dict.fromkeys(names.split(","), 1)})}
    )
    assert [one["rows"] for one in made.inputs] == [1, 1]


def test_a_large_document_is_read_record_by_record(tmp_path: Path) -> None:
    framing = Framing(whole=20_000, line=10_000, document=30_000)
    content = native(*(event(number) for number in range(100)), event(100, requestParameters={"x": "y" * 20}))
    made = ingest(
        tmp_path, {"a.json": content, "b.json": content[:-1] + b', "NextToken": "n"}'}, limits=Limits(framing=framing)
    )
    assert counts(made) == {"logs/a.json": (101, 101, 0, 0), "logs/b.json": (101, 0, 101, 0)}


def test_a_document_longer_than_a_line_may_be_is_read_for_all_its_odd_values(tmp_path: Path) -> None:
    framing = Framing(line=2000)
    content = native(*(event(number) for number in range(20))).replace(b"aws-cli/2", b"aws\xff", 1)
    assert counts(ingest(tmp_path, {"a.json": content}, limits=Limits(framing=framing))) == {
        "logs/a.json": (20, 20, 0, 0)
    }


def test_more_than_one_list_in_a_large_document_is_named(tmp_path: Path) -> None:
    framing = Framing(whole=20_000, line=10_000)
    content = native(*(event(number) for number in range(100)))[:-1] + b', "Records": [' + _LINE + b"]}"
    made = ingest(tmp_path, {"a.json": content}, limits=Limits(framing=framing))
    assert counts(made) == {"logs/a.json": (101, 100, 0, 1)}


def test_a_large_object_that_is_no_list_is_named(tmp_path: Path) -> None:
    framing = Framing(whole=2000, line=1000, document=3000)
    made = ingest(tmp_path, {"a.json": b'{"a": "' + b"x" * 5_000_000 + b'"}'}, limits=Limits(framing=framing))
    assert made.inputs[0]["quarantined"] == 1


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    content = bytearray()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", _LINE)
    content = bytearray(out.getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert reasons(ingest(tmp_path, {"a.zip": bytes(content)}))["logs/a.zip!a"] == "encrypted (1)"


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.zip": b"PK\x03\x04" + b"x" * 100, "b.tar": b"x" * 257 + b"ustar" + b"y" * 600})
    assert [one["quarantined"] for one in made.inputs if "!" in one["path"]] == [1, 1]


def test_a_member_without_a_name_is_one_that_could_not_be_read(tmp_path: Path) -> None:
    nameless = zipped({"~": native(event(1))}).replace(b"~", b"\0")
    assert reasons(ingest(tmp_path, {"a.zip": nameless}))["logs/a.zip!"] == "a damaged member of an archive (1)"


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a\udcff.json").write_bytes(native(event(1)))
    assert counts(ingest(tmp_path)) == {"logs/a\\udcff.json": (1, 1, 0, 0)}


def test_a_gzip_with_rubbish_behind_it_is_named(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.gz": packed(_LINE) + b"rubbish behind it", "b.gz": packed(_LINE) + b"\x00" * 100})
    assert reasons(made) == {"logs/a.gz": "other bytes after the compressed ones (1)", "logs/b.gz": None}
    assert made.inputs[0]["rows"] == 1


def test_a_header_that_cannot_be_split_is_a_fault_and_the_rows_stay() -> None:
    told = [row for batch in csv_records(Chunks([b"a,b\rc,d\n1,2,3\n"]), 2000) for row in batch]
    assert told == [Fault("CSV whose header cannot be split"), {"column 1": "1", "column 2": "2", "column 3": "3"}]
