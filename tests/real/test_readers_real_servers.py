"""Logs that real servers wrote here, about things really done, through the whole ingest: the rows say what was done."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest import ParquetIngest
from tests.real.services import free_port, listens, program, run, running

pytestmark = pytest.mark.real
Rows = list[dict[str, Any]]


def read(folder: Path, *names: str, refused: int = 0) -> Rows:
    """Rows of files; as many records as told are refused, and none is lost."""
    before = time.time_ns() // 1000
    sources = [Source(folder / name, name) for name in names]
    made = ParquetIngest(clock_us=lambda: before, workers=0)(sources, folder / f"out-{before}")
    assert sum(one["quarantined"] for one in made.inputs) == refused, [one["reason"] for one in made.inputs]
    for one in made.inputs:
        assert one["records"] == one["rows"] + one["duplicates"] + one["quarantined"]
    rows = [row for part in made.parts for row in pq.read_table(part).to_pylist()]
    assert all(before - 600 * 10**6 < row["time_us"] <= before + 10**6 for row in rows)
    return rows


def only(rows: Rows, **wanted: Any) -> dict[str, Any]:
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    assert len(found) == 1, (wanted, [(row["operation"], row["status"], row["actor_name"]) for row in rows])
    return found[0]


def call(method: str, address: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """Status, headers and answer of a request; redirects are not an error."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"content-type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = answer.read()
            return answer.status, answer.headers, json.loads(told) if told.startswith(b"{") else told
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


# -- OpenLDAP


SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload accesslog
database mdb
suffix cn=log
directory {folder}/log
rootdn cn=admin,dc=corp
database mdb
suffix dc=corp
directory {folder}/db
rootdn cn=admin,dc=corp
rootpw root-secret
overlay accesslog
logdb cn=log
logops all
logsuccess FALSE
logold (objectClass=*)
"""
ENTRIES = """dn: dc=corp
objectClass: dcObject
objectClass: organization
o: corp
dc: corp

dn: uid=alice,dc=corp
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: \u00c4rne
userPassword: first-secret
"""


def test_slapd_tells_binds_changes_and_refusals_without_passwords(tmp_path: Path) -> None:
    server = program("slapd")
    for name in ("log", "db"):
        (tmp_path / name).mkdir()
    (tmp_path / "slapd.conf").write_text(SLAPD.format(folder=tmp_path))
    port = free_port()
    at = ("-x", "-H", f"ldap://127.0.0.1:{port}", "-D")
    admin, alice = (*at, "cn=admin,dc=corp", "-w", "root-secret"), (*at, "uid=alice,dc=corp", "-w")
    command = [server, "-f", str(tmp_path / "slapd.conf"), "-h", f"ldap://127.0.0.1:{port}", "-d", "0"]
    with running(command, tmp_path, lambda: listens(port)):
        run(program("ldapadd"), *admin, given=ENTRIES)
        run("ldapwhoami", *alice, "first-secret")
        run("ldapwhoami", *alice, "wrong", ok=(49,))
        change = "dn: uid=alice,dc=corp\nchangetype: modify\nreplace: userPassword\nuserPassword: second-secret\n"
        run("ldapmodify", *admin, given=change)
        run("ldapmodify", *alice, "second-secret", given=change.replace("uid=alice,dc=corp", "dc=corp"), ok=(50,))
        run("ldapdelete", *admin, "uid=alice,dc=corp")
        (tmp_path / "search.ldif").write_text(run("ldapsearch", *admin, "-LLL", "-b", "cn=log"))
        (tmp_path / "cut.ldif").write_text(run("ldapsearch", *admin, "-b", "cn=log", "-z", "3", ok=(4,)))
    (tmp_path / "cat.ldif").write_text(run("slapcat", "-f", str(tmp_path / "slapd.conf"), "-b", "cn=log"))

    rows = read(tmp_path, "search.ldif", "cat.ldif", "cut.ldif", refused=4)  # the log's root thrice, and the cut
    for row in rows:
        assert "-secret" not in json.dumps(row)
    alice_did = [row for row in rows if row["actor_uid"] == "uid=alice,dc=corp" and row["operation"] == "bind"]
    assert [row["error"] for row in alice_did] == [None, "49 invalidCredentials", None]
    made = only(rows, operation="add", target_uid="uid=alice,dc=corp")
    assert (made["actor_uid"], made["status"], made["access"]) == ("cn=admin,dc=corp", "success", "write")
    assert "\u00c4rne" in made["request"]
    refused = only(rows, operation="modify", status="failure")
    assert (refused["actor_uid"], refused["target_uid"]) == ("uid=alice,dc=corp", "dc=corp")
    assert refused["error"] == "50 insufficientAccessRights"
    assert only(rows, operation="delete")["target_uid"] == "uid=alice,dc=corp"
    changed = only(rows, operation="modify", status="success")
    assert '"attribute":"userPassword","change":"=","value":"[withheld]"' in changed["request"]
