"""Logs that real servers wrote here, about things really done, through the whole ingest: the rows say what was done."""

from __future__ import annotations

import base64
import grp
import json
import os
import pwd
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest import ParquetIngest
from tests.real.configurations import AUDITD, ENTRIES, KEYSTONE, MASTER, NGINX, SERVE, SLAPD
from tests.real.services import free_port, from_pypi, listens, program, run, running

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


# -- Keystone


class Cloud:
    """A client of Keystone."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/v3"

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        status, _, told = call(method, self.address + path, body, **{"x-auth-token": token, "user-agent": "probe/1"})
        return status, told

    def sign_in(self, name: str, password: str) -> tuple[int, str, str]:
        """Status, token and project."""
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        status, headers, told = call("POST", f"{self.address}/auth/tokens", body, **{"user-agent": "probe/1"})
        return status, headers.get("x-subject-token", ""), told["token"]["project"]["id"] if status == 201 else ""


def test_keystone_tells_who_was_made_administrator_and_what_they_left_behind(tmp_path: Path) -> None:
    place = from_pypi("keystone-30.0.0", "keystone==30.0.0")
    (tmp_path / "keystone.conf").write_text(KEYSTONE.format(folder=tmp_path))
    (tmp_path / "serve.py").write_text(SERVE)
    for name in ("fernet", "credential"):
        (tmp_path / name).mkdir(mode=0o700)
    port = free_port()
    env = {"OS_KEYSTONE_CONFIG_DIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    manage = (str(place / "python"), str(place / "keystone-manage"), "--config-file", str(tmp_path / "keystone.conf"))
    run(*manage, "db_sync", env=env)
    owner = (
        "--keystone-user",
        pwd.getpwuid(os.getuid()).pw_name,
        "--keystone-group",
        grp.getgrgid(os.getgid()).gr_name,
    )
    run(*manage, "fernet_setup", *owner, env=env)
    run(*manage, "credential_setup", *owner, env=env)
    run(*manage, "bootstrap", "--bootstrap-password", "admin-secret", env=env)
    (tmp_path / "keystone.log").unlink(missing_ok=True)
    serve = [str(place / "python"), str(tmp_path / "serve.py"), str(port)]
    with running(serve, tmp_path, lambda: listens(port), env):
        uid = _take_over(Cloud(port))
    rows = read(tmp_path, "keystone.log")
    text = json.dumps(rows)
    assert "-secret" not in text
    made = only(rows, operation="created.user")
    assert (made["actor_name"], made["target_uid"], made["status"]) == ("admin", uid, "success")
    assert (made["src_ip"], made["user_agent"]) == ("127.0.0.1", "probe/1")
    granted = only(rows, operation="created.role_assignment")
    assert (granted["actor_name"], granted["target_uid"], granted["target_type"]) == ("admin", uid, "user")
    signed_in = [row["status"] for row in rows if row["operation"] == "authenticate" and row["actor_uid"] == uid]
    assert signed_in == ["success", "failure"]
    left = only(rows, operation="created.application_credential")
    assert (left["actor_uid"], left["actor_name"], left["issued_credential_uid"]) == (
        uid,
        "mallory",
        left["target_uid"],
    )
    assert only(rows, operation="created.credential")["actor_uid"] == uid
    assert only(rows, operation="updated.user")["target_uid"] == uid
    assert only(rows, operation="authorization refused", actor_uid=uid)["error"] == "User is disabled"
    assert only(rows, operation="deleted.user")["actor_name"] == "admin"


def _take_over(cloud: Cloud) -> str:
    """An administrator makes mallory one, who leaves credentials behind, is disabled, refused and deleted."""
    _, admin, project = cloud.sign_in("admin", "admin-secret")
    role = next(one["id"] for one in cloud.call("GET", "/roles", token=admin)[1]["roles"] if one["name"] == "admin")
    new = {"user": {"name": "mallory", "password": "user-secret", "domain_id": "default"}}
    uid = str(cloud.call("POST", "/users", new, admin)[1]["user"]["id"])
    assert cloud.call("PUT", f"/projects/{project}/users/{uid}/roles/{role}", token=admin)[0] == 204
    status, token, _ = cloud.sign_in("mallory", "user-secret")
    assert (status, cloud.sign_in("mallory", "wrong-secret")[0]) == (201, 401)
    back = {"application_credential": {"name": "back", "roles": [{"id": role}]}}
    assert cloud.call("POST", f"/users/{uid}/application_credentials", back, token)[0] == 201
    blob = json.dumps({"access": "a", "secret": "ec2-secret"})
    ec2 = {"credential": {"type": "ec2", "blob": blob, "project_id": project, "user_id": uid}}
    assert cloud.call("POST", "/credentials", ec2, token)[0] == 201
    assert cloud.call("PATCH", f"/users/{uid}", {"user": {"enabled": False}}, admin)[0] == 200
    assert cloud.sign_in("mallory", "user-secret")[0] == 401
    assert cloud.call("DELETE", f"/users/{uid}", token=admin)[0] == 204
    return uid


# -- Buildbot and its web server


def test_buildbot_tells_who_forced_a_build_why_and_that_it_was_stopped(tmp_path: Path) -> None:
    place = from_pypi("buildbot-4.3.0", "buildbot[bundle]==4.3.0", "buildbot-worker==4.3.0")
    port = free_port()
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "token").touch(mode=0o600)
    (tmp_path / "secrets" / "token").write_text("ci-secret")
    buildbot = (str(place / "python"), str(place / "buildbot"))
    run(*buildbot, "create-master", str(tmp_path / "master"))
    (tmp_path / "master" / "master.cfg").write_text(MASTER.format(folder=tmp_path, port=port))
    with running([*buildbot, "start", "--nodaemon", str(tmp_path / "master")], tmp_path, lambda: listens(port)):
        _force_and_stop(f"http://127.0.0.1:{port}", tmp_path)
    rows = read(tmp_path, "builds.json", "buildrequests.json", "buildsets.json", "changes.json")
    assert "ci-secret" not in json.dumps(rows)
    stopped = only(rows, operation="build", target_uid="deploy")
    assert (stopped["actor_uid"], stopped["status"]) == ("alice", "failure")
    assert "cancelled (INC-1 containment)" in stopped["error"]
    assert json.loads(stopped["request"])["reason"] == "deploy now"
    leaked = only(rows, operation="build", target_uid="leak")
    assert (leaked["actor_uid"], leaked["status"]) == ("alice", "success")
    assert {row["actor_uid"] for row in rows if row["operation"] == "buildset"} == {"alice"}
    assert len([row for row in rows if row["operation"] == "buildrequest"]) == 2

    web = read(tmp_path / "master", "http.log")
    tried = [row["status"] for row in web if row["target_uid"] == "/api/v2/forceschedulers/force-deploy"]
    assert tried == ["failure", "success"]
    assert only(web, operation="POST", target_uid=f"/api/v2/builds/{stopped['event_uid'].rpartition('/')[2]}")


def _force_and_stop(address: str, folder: Path) -> None:
    """A stranger is refused; alice signs in, forces both, and stops the one that runs on."""
    _, _, told = call("GET", f"{address}/api/v2/builders")
    builders = {one["name"]: one["builderid"] for one in told["builders"]}

    def control(path: str, method: str, cookie: str, **params: Any) -> int:
        body = {"id": 1, "jsonrpc": "2.0", "method": method, "params": params}
        return call("POST", f"{address}/api/v2/{path}", body, **({"cookie": cookie} if cookie else {}))[0]

    def force(name: str, reason: str, cookie: str) -> int:
        return control(f"forceschedulers/force-{name}", "force", cookie, builderid=builders[name], reason=reason)

    assert force("deploy", "not me", "") == 403
    basic = base64.b64encode(b"alice:user-secret").decode()
    cookie = _cookie(f"{address}/auth/login", basic)
    assert (force("deploy", "deploy now", cookie), force("leak", "a look", cookie)) == (200, 200)

    def builds() -> list[Any]:
        return list(call("GET", f"{address}/api/v2/builds?property=*")[2]["builds"])

    def until(done: Any) -> list[Any]:
        end = time.monotonic() + 30
        while not done(found := builds()) and time.monotonic() < end:
            time.sleep(0.2)
        return found

    def of(name: str, found: list[Any]) -> list[Any]:
        return [one for one in found if one["builderid"] == builders[name]]

    found = until(lambda found: of("deploy", found) and any(one["complete"] for one in of("leak", found)))
    number = of("deploy", found)[0]["buildid"]
    assert control(f"builds/{number}", "stop", cookie, reason="INC-1 containment") == 200
    until(lambda found: all(one["complete"] for one in found))
    for name in ("builds", "buildrequests", "buildsets", "changes"):
        told = call("GET", f"{address}/api/v2/{name}?property=*" if name != "changes" else f"{address}/api/v2/changes")[
            2
        ]
        (folder / f"{name}.json").write_text(json.dumps(told))


def _cookie(address: str, basic: str) -> str:
    """Of a sign-in, which answers with a cookie and a redirect that is not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    request = urllib.request.Request(address, headers={"authorization": f"Basic {basic}"})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=30) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        with error:
            headers = error.headers
    return str(headers.get_all("set-cookie")[-1]).partition(";")[0]


# -- A host: journald and sshd, the kernel's audit, nginx


def _as_root() -> None:
    """No gate can install what the machine does not allow: without it these tests are skipped, in CI too."""
    if os.getuid() != 0:
        pytest.skip("needs root, for a journal and an audit of its own")


def _namespace() -> str:
    """The program that gives others a view of the file system of their own."""
    unshare = program("unshare")
    if "ok" not in run(unshare, "-m", "sh", "-c", "mount -t tmpfs none /run && echo ok", ok=(0, 1, 32)):
        pytest.skip("needs a machine on which root may mount")
    return unshare


def test_sshd_and_journald_tell_keys_used_and_revoked_and_accounts_made(tmp_path: Path) -> None:
    _as_root()
    journald = program("systemd-journald", "/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald")
    script, port = Path(__file__).with_name("hosting.sh"), str(free_port())
    run(_namespace(), "-m", "bash", str(script), str(tmp_path), port, journald, program("sshd"))
    good, bad = (run("ssh-keygen", "-lf", str(tmp_path / f"{name}.pub")).split()[1] for name in ("good", "bad"))
    forms = {"json": 0, "export": 0, "short-iso": 1, "short-iso-precise": 1}  # the second line of a message of two
    for form, refused in forms.items():
        rows = read(tmp_path, f"journal.{form}", refused=refused)
        assert {row["source"] for row in rows} == {"host.syslog" if form.startswith("short") else "host.journald"}
        _says_what_happened(rows, good, bad)
    both = read(tmp_path, "journal.json", "journal.export")
    assert len(both) == len(read(tmp_path, "journal.json"))
    assert '"message":"a\\nb"' in only(both, service="two-lines")["detail"]
    name = time.strftime("auth.log-%Y%m%d", time.gmtime())
    (tmp_path / name).write_bytes((tmp_path / "journal.short").read_bytes())
    _says_what_happened(read(tmp_path, name, refused=1), good, bad)


def _says_what_happened(rows: Rows, good: str, bad: str) -> None:
    used = [(row["actor_uid"], row["credential_uid"]) for row in rows if row["operation"] == "Accepted publickey"]
    assert used == [("root", good), ("root", bad)]
    refused = only(rows, operation="revoked key refused")
    assert (refused["credential_uid"], refused["status"], refused["error"]) == (bad, "failure", "key revoked")
    failed = only(rows, operation="Failed publickey")
    assert (failed["actor_uid"], failed["credential_uid"], failed["src_ip"]) == ("root", bad, "127.0.0.1")
    assert only(rows, operation="Invalid user")["actor_uid"] == "hf-nobody"
    assert only(rows, operation="new user")["target_uid"] == "hf-mallory"
    assert {row["target_uid"] for row in rows if row["operation"] == "add to group"} == {"hf-mallory"}
    assert only(rows, operation="delete user")["target_uid"] == "hf-mallory"


def test_nginx_tells_who_asked_for_what_and_no_token(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "nginx.conf").write_text(
        NGINX.format(folder=tmp_path, port=port, user=pwd.getpwuid(os.getuid()).pw_name)
    )
    (tmp_path / "users").write_text("alice:{PLAIN}user-secret\n")
    server = [program("nginx"), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")]
    address = f"http://127.0.0.1:{port}"
    with running(server, tmp_path, lambda: listens(port)):
        assert call("GET", f"{address}/a?page=2&access_token=query-secret")[0] == 200
        for password, status in (("wrong", 401), ("user-secret", 404)):
            basic = base64.b64encode(f"alice:{password}".encode()).decode()
            headers = {"authorization": f"Basic {basic}", "user-agent": 'probe "1"'}
            assert call("DELETE", f"{address}/private/x", **headers)[0] == status
    rows = read(tmp_path, "access.log")
    assert "-secret" not in json.dumps(rows)
    assert json.loads(only(rows, target_uid="/a")["request"])["query"].startswith("page=2&access_token=")
    tried = [(row["actor_uid"], row["error"], row["access"]) for row in rows if row["operation"] == "DELETE"]
    assert tried == [("alice", "HTTP 401", "write"), ("alice", "HTTP 404", "write")]
    assert {row["src_ip"] for row in rows} == {"127.0.0.1"}


def test_auditd_tells_who_read_a_watched_file_and_which_account_was_made(tmp_path: Path) -> None:
    _as_root()
    control = program("auditctl")
    status = run(control, "-s", ok=(0, 1, 255))
    if "enabled 0" not in status or not ("pid 0\n" in status or _gone(status)):
        pytest.skip("the kernel's audit is not to be had here, or is in use")
    config = tmp_path / "config"
    (config / "plugins.d").mkdir(parents=True)
    (config / "auditd.conf").write_text(AUDITD.format(folder=tmp_path))
    (config / "auditd.conf").chmod(0o640)
    secret = tmp_path / "watched"
    secret.write_text("x")
    rule = (str(secret), "-p", "rwa", "-k", "hf-test")
    log = tmp_path / "audit.log"
    with running([program("auditd"), "-n", "-c", str(config)], tmp_path, lambda: "enabled 1" in run(control, "-s")):
        try:
            run(control, "-w", *rule)
            run("cat", str(secret))
            run("useradd", "hf-audited")
            run("userdel", "hf-audited")
            end = time.monotonic() + 10
            while "DEL_USER" not in log.read_text() and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            run(control, "-W", *rule, ok=(0, 255))
            run(control, "-e", "0")
    rows = read(tmp_path, "audit.log")
    touched = only(rows, operation="PATH", target_uid=str(secret))
    event = json.loads(touched["detail"])["event"]
    same = [row for row in rows if json.loads(row["detail"])["event"] == event]
    assert only(same, operation="PROCTITLE")["request"] == json.dumps(
        {"command": f"cat {secret}"}, separators=(",", ":")
    )
    by = only(same, operation="SYSCALL")
    assert (by["actor_uid"], by["status"], by["target_uid"].rpartition("/")[2]) == ("root", "success", "cat")
    assert only(rows, operation="ADD_USER")["status"] == "success"
    assert only(rows, operation="DEL_USER")["target_uid"] == "hf-audited"


def _gone(status: str) -> bool:
    """Whether the audit daemon that the kernel last knew is gone."""
    number = next((line.split()[1] for line in status.splitlines() if line.startswith("pid ")), "0")
    return not Path(f"/proc/{number}").exists()
