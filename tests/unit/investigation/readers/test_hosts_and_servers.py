"""Readers of host, directory, OpenStack, Buildbot and web logs: what a record says stands in its row."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest import ParquetIngest
from holdfast.investigation.activity import ACTIVITY
from holdfast.investigation.readers import shipped
from holdfast.investigation.readers._host import NO_YEAR, instant, said
from holdfast.investigation.reading import UnreadableError

READERS = {reader.key: reader for reader in shipped()}
COLUMNS = {column.name: column.type for column in ACTIVITY}
KEY = "SHA256:PSAzcfCefHL5HkZIhsp3BX2tBqN+njqOjLfKwxRQedo"
HONEY = Path(__file__).parents[5] / "shared" / "data" / "otrf" / "AWS_S3_HoneyBucketLogs.csv"

CADF: dict[str, Any] = {
    "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event", "eventType": "activity", "id": "e1",
    "eventTime": "2026-01-01T10:00:00.250000+0000", "action": "created.application_credential", "outcome": "success",
    "initiator": {"id": "u1", "typeURI": "service/security/account/user", "user_id": "u1", "username": "mallory",
                  "project_id": "p1", "host": {"address": "203.0.113.7", "agent": "curl/8"}},
    "target": {"id": "ac1", "typeURI": "data/security/credential"}, "resource_info": "ac1",
}  # fmt: skip
NOTIFICATION = {"message_id": "m", "event_type": "identity.application_credential.created", "payload": CADF,
                "timestamp": "2026-01-01 10:00:01"}  # fmt: skip
BUILD: dict[str, Any] = {
    "buildid": 7, "builderid": 1, "buildrequestid": 6, "number": 3, "complete": True, "complete_at": 1767261700,
    "results": 6, "started_at": 1767261600, "state_string": "cancelled (INC-1 containment)", "workerid": 1,
    "properties": {"owner": ["Alice <alice@corp.example>", "Force"], "reason": ["go", "Force"],
                   "buildername": ["deploy", "Builder"], "deploy_key": ["hunter2", "Change"]},
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "changeid": 4, "author": "mallory <m@x.example>", "when_timestamp": 1767261600, "repository": "git@x:shop",
    "branch": "main", "revision": "abc", "comments": "fix", "files": ["a"], "properties": {},
}  # fmt: skip
ENTRY = {"__REALTIME_TIMESTAMP": "1767261600000005", "_SOURCE_REALTIME_TIMESTAMP": "1767261600000001",
         "__CURSOR": "s=1;i=2", "_HOSTNAME": "web1", "SYSLOG_IDENTIFIER": "sshd", "_UID": "1000",
         "MESSAGE": f"Accepted publickey for alice from 203.0.113.7 port 5022 ssh2: ED25519 {KEY}"}  # fmt: skip
LDAP: dict[str, Any] = {
    "dn": "reqStart=20260101100000.000001Z,cn=log", "objectClass": ["auditModify"], "reqType": ["modify"],
    "reqStart": ["20260101100000.000001Z"], "reqSession": ["12"], "reqAuthzID": ["cn=Admin, dc=Corp"],
    "reqDN": ["uid=alice,dc=corp"], "reqResult": ["50"], "reqMod": ["userPassword:= hunter2", "mail:+ a@x", "sn:-"],
    "reqOld": ["userPassword: hunter1", "mail: b@x"],
}  # fmt: skip
SYSLOG = f"2026-01-01T10:00:00+00:00 web1 sshd[7]: Accepted publickey for alice from 203.0.113.7 port 1 ssh2: RSA {KEY}"
RFC5424 = '<38>1 2026-01-01T10:00:00Z web1 sshd 7 - [a b="c"] Invalid user x from 203.0.113.7 port 1'
AUDIT = (
    'type=USER_CMD msg=audit(1767261600.123:456): pid=9 uid=1000 auid=1000 ses=3 msg=\'cwd="/home/alice" '
    'cmd=636174202F6574632F736861646F77 exe="/usr/bin/sudo" terminal=pts/0 res=failed\'\x1dUID="alice" AUID="alice"'
)
WEB = '203.0.113.7 - alice [01/Jan/2026:10:00:00 +0000] "POST /a?id=1&token=abc HTTP/1.1" 403 12 "-" "curl/8"'
S3 = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket-1 [01/Jan/2026:10:00:00 +0000] "
    "203.0.113.7 arn:aws:sts::111111111111:assumed-role/Deploy/run-7 3E57427F3EXAMPLE REST.GET.OBJECT data/dump.sql "
    '"GET /bucket-1/data/dump.sql?X-Amz-Signature=abc HTTP/1.1" 200 - 113 113 7 6 "-" "S3Console/0.4" - '
    "hostid= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader bucket-1.s3.amazonaws.com TLSv1.3 - -"
)
OSLO = (
    "2026-01-01 10:00:00.100 77 INFO oslo.messaging.notification.identity.x [None req-1 u1 p1 - - - -] "
    + orjson.dumps(NOTIFICATION).decode()
)
SAMPLES: list[tuple[str, str, Any]] = [
    ("openstack.cadf", "json", CADF),
    ("openstack.cadf", "json", NOTIFICATION),
    ("openstack.cadf", "json", {"oslo.version": "2.0", "oslo.message": orjson.dumps(NOTIFICATION).decode()}),
    ("openstack.cadf+log", "lines", OSLO),
    ("buildbot", "json", BUILD),
    ("buildbot", "json", CHANGE),
    ("host.journald", "json", ENTRY),
    ("host.journald+export", "journal", ENTRY),
    ("ldap.accesslog", "ldif", LDAP),
    ("host.syslog", "lines", SYSLOG),
    ("host.syslog", "lines", RFC5424),
    ("host.auditd", "lines", AUDIT),
    ("web.access", "lines", WEB),
    ("aws.s3_access", "lines", S3),
]  # fmt: skip
IDS = [f"{place}-{key}" for place, (key, _, _) in enumerate(SAMPLES)]


def fields(place: str, record: Any = None) -> dict[str, Any]:
    found = record if record is not None else next(one for key, _, one in SAMPLES if key == place)
    return READERS[place].fields(found)


def host(message: str, program: str = "sshd") -> dict[str, Any]:
    return fields("host.syslog", f"2026-01-01T10:00:00Z web1 {program}[7]: {message}")


@pytest.mark.parametrize(("key", "framing", "record"), SAMPLES, ids=IDS)
def test_a_record_is_recognised_by_its_reader_alone(key: str, framing: str, record: Any) -> None:
    assert [one.key for one in shipped() if one.framing == framing and one.recognises(record)] == [key]


@pytest.mark.parametrize(("key", "framing", "record"), SAMPLES, ids=IDS)
def test_fields_are_columns_and_tell_time_act_and_class(key: str, framing: str, record: Any) -> None:
    told = READERS[key].fields(record)
    assert told.keys() <= COLUMNS.keys()
    assert framing == READERS[key].framing
    assert told["operation"]
    assert told["event_class"] in READERS[key].event_classes
    assert 1767261600 * 10**6 <= told["time_us"] < 1767261602 * 10**6
    for name, value in told.items():
        assert value is None or isinstance(value, int if COLUMNS[name] == "integer" else str | dict | list), name


def test_keystone_tells_who_made_which_credential_from_where() -> None:
    for key in ("openstack.cadf", "openstack.cadf+log"):
        told = fields(key)
        assert (told["actor_uid"], told["actor_name"], told["src_ip"]) == ("u1", "mallory", "203.0.113.7")
        assert (told["issued_credential_uid"], told["status"], told["event_uid"]) == ("ac1", "success", "e1")


def test_keystone_tells_a_refused_sign_in_in_a_line_only() -> None:
    line = ("2026-01-01 10:00:00.100 77 WARNING keystone.auth.plugins.core [None req-1 - - - - - -] User is disabled: "
            "25a7512773c14cc6915bdf24d8bc787e: AssertionError")  # fmt: skip
    told = fields("openstack.cadf+log", line)
    assert (told["event_class"], told["status"], told["error"]) == ("signin", "failure", "User is disabled")
    assert told["actor_uid"] == "25a7512773c14cc6915bdf24d8bc787e"


def test_a_stopped_build_tells_owner_and_reason_and_no_foreign_property() -> None:
    told = fields("buildbot")
    assert (told["actor_uid"], told["actor_type"], told["target_uid"]) == ("alice@corp.example", "human", "deploy")
    assert (told["status"], told["error"]) == ("failure", "cancelled (INC-1 containment)")
    assert b"hunter2" not in orjson.dumps(told)
    assert told["detail"]["other_properties"] == ["deploy_key"]
    assert fields("buildbot", {**BUILD, "complete": False, "results": None})["status"] is None


def test_a_refused_change_of_a_password_keeps_the_attribute_and_not_the_value() -> None:
    told = fields("ldap.accesslog")
    assert (told["actor_uid"], told["target_uid"]) == ("cn=admin,dc=corp", "uid=alice,dc=corp")
    assert (told["status"], told["error"]) == ("failure", "50 insufficientAccessRights")
    assert told["request"]["changes"][0] == {"attribute": "userPassword", "change": "=", "value": "[withheld]"}
    assert told["request"]["changes"][1] == {"attribute": "mail", "change": "+", "value": "a@x"}
    assert b"hunter" not in orjson.dumps(told)


def test_who_binds_is_who_asks_to_be_let_in() -> None:
    bind = {**LDAP, "reqType": ["bind"], "reqAuthzID": [""], "reqResult": ["49"]}
    told = fields("ldap.accesslog", bind)
    assert (told["actor_uid"], told["event_class"], told["error"]) == (
        "uid=alice,dc=corp", "signin", "49 invalidCredentials",
    )  # fmt: skip
    assert fields("ldap.accesslog", {**bind, "reqDN": [""]})["actor_type"] == "anonymous"


def test_a_key_that_signs_in_and_one_that_is_revoked_are_told_by_their_fingerprint() -> None:
    told = fields("host.syslog")
    assert (told["actor_uid"], told["credential_uid"], told["status"]) == ("alice", KEY, "success")
    assert (told["account_uid"], told["src_ip"], told["event_class"]) == ("web1", "203.0.113.7", "signin")
    told = host(f"error: Authentication key ED25519 {KEY} revoked by file /etc/ssh/krl")
    assert (told["credential_uid"], told["status"], told["error"]) == (KEY, "failure", "key revoked")


@pytest.mark.parametrize(
    ("message", "operation", "user"),
    [
        ("Failed password for invalid user admin from 203.0.113.7 port 5 ssh2", "Failed password", "admin"),
        ("Accepted password for root from 203.0.113.7 port 5 ssh2", "Accepted password", "root"),
        ("Invalid user  from 203.0.113.7 port 5", "Invalid user", None),
        ("Failed none for invalid user x from 198.51.100.1 port 1 ssh2 from 203.0.113.7 port 5 ssh2", "Failed none",
         "x from 198.51.100.1 port 1 ssh2"),
        ("Connection closed by authenticating user alice 203.0.113.7 port 5 [preauth]", "Disconnected", "alice"),
        ("pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser= rhost=203.0.113.7  user=bob",
         "authentication failure", "bob"),
    ],
)  # fmt: skip
def test_sshd_tells_user_and_address_whatever_the_user_is_called(
    message: str, operation: str, user: str | None
) -> None:
    told = host(message)
    assert (told["operation"], told.get("actor_uid"), told["src_ip"]) == (operation, user, "203.0.113.7")


def test_becoming_root_and_accounts_are_told() -> None:
    told = host("  alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/cat a ; b", "sudo")
    assert (told["actor_uid"], told["target_uid"], told["status"]) == ("alice", "root", "success")
    assert told["request"]["command"] == "/usr/bin/cat a ; b"
    told = host("mallory : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", "sudo")
    assert (told["actor_uid"], told["status"], told["error"]) == ("mallory", "failure", "user NOT in sudoers")
    told = host("new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/sh, from=none", "useradd")
    assert (told["operation"], told["target_uid"], told["access"]) == ("new user", "eve", "write")
    assert host("add 'eve' to group 'sudo'", "usermod")["request"] == {"group": "sudo"}
    assert host("(root) CMD (/bin/run)", "CRON")["request"] == {"command": "/bin/run"}
    assert host("pam_unix(sshd:session): session opened for user eve(uid=1001) by (uid=0)")["actor_uid"] == "eve"
    assert host("Started Daily Cleanup.", "systemd")["operation"] == "message"


@pytest.mark.parametrize(
    ("path", "year"),
    [
        ("auth.log-20261231", 2026), ("auth.log-20260103", 2025), ("2026/12/auth.log", 2026),
        ("logs-2024/auth.log", 2024), ("host-2026-12-31.log!auth.log", 2026),
    ],
)  # fmt: skip
def test_a_missing_year_comes_from_the_path(path: str, year: int) -> None:
    assert time.gmtime(instant("Dec 31 23:59:59", path) // 10**6)[:3] == (year, 12, 31)


def test_a_time_without_a_year_is_quarantined_with_what_to_do(tmp_path: Path) -> None:
    line = "Dec 31 23:59:59 web1 sshd[7]: Accepted password for root from 203.0.113.7 port 5 ssh2\n"
    for name, rows in (("auth.log", 0), ("auth.log-20261231", 1)):
        (tmp_path / name).write_text(line)
        made = ParquetIngest(clock_us=lambda: 0, workers=0)([Source(tmp_path / name, name)], tmp_path / f"out{rows}")
        assert (made.inputs[0]["rows"], made.inputs[0]["quarantined"]) == (rows, 1 - rows)
        assert [one["reason"] for one in made.quarantined] == [NO_YEAR][rows:]
    with pytest.raises(UnreadableError):
        instant("Feb 30 10:00:00", "auth.log-2026")


def test_the_journal_marks_who_only_calls_itself_sshd_and_reads_bytes() -> None:
    told = fields("host.journald")
    assert (told["credential_uid"], told["event_uid"], told["detail"]["not_by_root"]) == (KEY, "s=1;i=2", True)
    assert told["delivered_us"] - told["time_us"] == 4
    told = fields("host.journald", {**ENTRY, "_UID": "0", "MESSAGE": [104, 105, 255]})
    assert (told["detail"]["message"], told["operation"]) == ("hi\ufffd", "message")


def test_audit_lines_tell_the_lasting_user_the_outcome_and_text_in_hex() -> None:
    told = fields("host.auditd")
    assert (told["actor_uid"], told["status"], told["event_uid"]) == ("alice", "failure", "1767261600.123:456/USER_CMD")
    assert told["request"]["command"] == "cat /etc/shadow"
    told = fields("host.auditd", 'type=EXECVE msg=audit(1767261600.123:457): argc=3 a0="sh" a1="-c" a2=6C73202D6C')
    assert told["request"]["command"] == "sh -c ls -l"
    told = fields(
        "host.auditd", "node=web1 type=SYSCALL msg=audit(1767261600.1:9): success=no exit=-13 auid=4294967295 uid=0"
    )
    assert (told["account_uid"], told["actor_uid"], told["error"]) == ("web1", "root", "-13")


def test_a_web_request_keeps_its_path_and_withholds_what_signs() -> None:
    told = fields("web.access")
    assert (told["target_uid"], told["request"]["query"]) == ("/a", "id=1&token=withheld")
    assert (told["actor_uid"], told["status"], told["error"], told["access"]) == (
        "alice",
        "failure",
        "HTTP 403",
        "write",
    )
    told = fields("web.access", r'"192.0.2.1" - - [01/Jan/2026:10:00:00 +0200] "\x16\x03" 400 - "-" "-" "10.0.0.1"')
    assert (told["operation"], told["actor_type"], told["time_us"]) == ("not HTTP", "anonymous", 1767254400 * 10**6)
    assert told["detail"]["more"] == '"10.0.0.1"'
    told = fields("web.access", 'shop.example:443 192.0.2.1 - - [01/Jan/2026:10:00:00 +0000] "GET / HTTP/2.0" 200 5')
    assert told["account_uid"] == "shop.example:443"
    with pytest.raises(UnreadableError):
        fields("web.access", WEB.replace("01/Jan", "31/Feb"))


def test_an_s3_line_tells_the_role_its_session_and_the_object() -> None:
    told = fields("aws.s3_access")
    assert told["actor_uid"] == "arn:aws:iam::111111111111:role/Deploy"
    assert told["session_uid"] == "arn:aws:sts::111111111111:assumed-role/Deploy/run-7"
    assert (told["target_uid"], told["access"]) == ("arn:aws:s3:::bucket-1/data/dump.sql", "read")
    assert "abc" not in told["request"]["line"]
    assert told["detail"]["tls"] == "TLSv1.3"
    refused = S3.replace('HTTP/1.1" 200 -', 'HTTP/1.1" 403 AccessDenied')
    assert fields("aws.s3_access", refused)["error"] == "AccessDenied"


@pytest.mark.skipif(not HONEY.exists(), reason="needs ../shared/data, the public data sets")
def test_the_alarms_table_of_the_public_data_set_is_read_whole(tmp_path: Path) -> None:
    made = ParquetIngest(clock_us=lambda: 0, workers=0)([Source(HONEY, HONEY.name)], tmp_path / "out")
    told = made.inputs[0]
    assert (told["reader"], told["quarantined"]) == ("aws.cloudtrail+alarms", 0)
    assert told["records"] == told["rows"] + told["duplicates"] > 200
    rows = [row for part in made.parts for row in pq.read_table(part).to_pylist()]
    assert all(row["time_us"] and row["target_uid"].startswith("arn:aws:s3:::") for row in rows)
    assert {"anonymous"} <= {row["actor_type"] for row in rows}


def test_an_answer_of_buildbot_without_any_build_is_no_unreadable_record(tmp_path: Path) -> None:
    for name, document, rows in (
        ("none", {"builds": [], "meta": {"total": 0}}, 0),
        ("one", {"builds": [BUILD], "meta": {}}, 1),
    ):
        (tmp_path / name).write_bytes(orjson.dumps(document))
        made = ParquetIngest(clock_us=lambda: 0, workers=0)([Source(tmp_path / name, name)], tmp_path / f"out-{name}")
        assert (made.inputs[0]["rows"], made.inputs[0]["quarantined"]) == (rows, 0)


MINE = ("openstack.", "buildbot", "host.", "ldap.", "web.", "aws.s3_access", "aws.cloudtrail+alarms")
LINES = [one for one in READERS.values() if one.framing == "lines" and one.key.startswith(MINE)]


@given(st.sampled_from(SAMPLES), st.data())
def test_no_damage_to_a_record_breaks_a_reader(sample: tuple[str, str, Any], data: st.DataObject) -> None:
    key, _, record = sample
    if isinstance(record, str):
        at = data.draw(st.integers(0, len(record)))
        broken: Any = record[:at] + data.draw(st.text(max_size=8)) + record[at + data.draw(st.integers(0, 9)) :]
    else:
        noise = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2))
        broken = {**record, data.draw(st.sampled_from(list(record))): data.draw(noise)}
    reader = READERS[key]
    if reader.recognises(broken):
        try:
            assert reader.fields(broken).keys() <= COLUMNS.keys()
        except UnreadableError as fault:
            assert str(fault)  # noqa: PT017 -- both outcomes are right


@pytest.mark.parametrize(
    "start",
    ["a" * 9, "type=X msg=audit(1767261600.1:9): ", "Jan  1 10:00:00 h sshd[1]: Failed password for ", '1.2.3.4 - - ["',
     "a={ ", "<38>1 ", SYSLOG, AUDIT, WEB, S3],
)  # fmt: skip
def test_long_lines_are_read_or_refused_in_linear_time(start: str) -> None:
    for filler in ("a", " ", "a={ ", "a=' ", " from x port 1 ", '"', " ; ", "\\"):
        line = start + filler * (200_000 // len(filler))
        begun = time.perf_counter()
        for reader in LINES:
            if reader.recognises(line):
                try:
                    reader.fields(line)
                except UnreadableError:
                    continue
        assert time.perf_counter() - begun < 5


def test_unknown_programs_are_messages() -> None:
    assert said("", "x") == {"service": None, "operation": "message", "event_class": "host"}
