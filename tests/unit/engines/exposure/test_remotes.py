"""Remote repositories, from git's own server program on this machine."""

from __future__ import annotations

import http.server
import os
import secrets
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from holdfast.app.ports_exposure import Listener, Target
from holdfast.app.settings import load
from holdfast.engines.exposure.remotes import RemoteSearcher, checked, is_remote
from holdfast.exposure.query import Query, compile_query
from holdfast.exposure.results import Fault, Hit, Totals
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue
from holdfast.wiring_exposure import Choices, Kit, aim

QUERY = compile_query([SecretValue("a value of thirty characters..")])
CLEAN = {"HOME": "/nonexistent", "PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=trunk"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=CLEAN, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", f"Add {name}")
    return git(folder, "rev-parse", "HEAD")


@dataclass
class Looked:
    """What searches the mirror: it writes down what it was given."""

    seen: list[Path] = field(default_factory=list)

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        self.seen.append(Path(target.where))
        listener.hit(Hit(target.shown, "blob", "raw", "exact"))
        return Totals(objects=1)


@dataclass
class Heard:
    faults: list[Fault] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)

    def hit(self, hit: Hit) -> None:
        self.hits.append(hit)

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def progress(self, done: int, total: int, what: str) -> None:
        """Not looked at."""


class Host(http.server.BaseHTTPRequestHandler):
    """Smart HTTP by ``git http-backend``, as web servers run it."""

    root = ""
    user = ""
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        if self.user and self.headers["Authorization"] != f"Basic {self.user}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        variables = {
            **CLEAN,
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=False)
        head, _, content = told.stdout.partition(b"\r\n\r\n")
        fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n") if line]
        self.send_response(next((int(value.split()[0]) for name, value in fields if name == "Status"), 200))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Tests are quiet."""


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A work tree with a branch, a tag, a note, a stash and a pull request's ref."""
    folder = tmp_path / "host" / "team.git"
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    commit(folder, "a.txt", "one")
    git(folder, "tag", "-a", "v1", "-m", "first")
    git(folder, "notes", "add", "-m", "a note")
    git(folder, "update-ref", "refs/pull/7/head", commit(folder, "b.txt", "two"))
    git(folder, "reset", "-q", "--hard", "HEAD~1")
    return folder


@pytest.fixture
def address(origin: Path) -> Iterator[str]:
    handler = type("Here", (Host,), {"root": str(origin.parent)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/team.git"
        server.shutdown()
        thread.join()


@dataclass
class Run:
    looked: Looked
    heard: Heard
    totals: Totals

    @property
    def mirror(self) -> Path:
        return self.looked.seen[-1]


def run(where: str, folder: Path, environment: Mapping[str, str] = CLEAN, query: Query = QUERY) -> Run:
    looked, heard = Looked(), Heard()
    searcher = RemoteSearcher(folder / "mirrors", looked, environment)
    totals = searcher.search(Target(where, where), query, heard)
    return Run(looked, heard, totals)


def refs(folder: Path) -> dict[str, str]:
    lines = git(folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)  # type: ignore[misc]


def test_a_remote_is_mirrored_with_every_ref_the_host_offers_and_searched_there(
    origin: Path, address: str, tmp_path: Path
) -> None:
    done = run(address, tmp_path)
    assert done.heard.faults == []
    assert refs(done.mirror) == refs(origin)
    assert "refs/pull/7/head" in refs(done.mirror)
    assert (done.mirror / "HEAD").read_text(encoding="ascii") == "ref: refs/heads/trunk\n"
    assert [hit.target for hit in done.heard.hits] == [address]
    assert done.totals.objects == 1
    assert any("force-pushed" in one for one in done.totals.not_searched)


def test_the_mirror_is_private_and_has_no_hooks_and_its_objects_are_in_packs(address: str, tmp_path: Path) -> None:
    mirror = run(address, tmp_path).mirror
    assert stat.S_IMODE(mirror.parent.stat().st_mode) == 0o700
    assert not (mirror / "hooks").exists()
    assert list((mirror / "objects/pack").glob("*.pack"))
    assert not list((mirror / "objects").glob("[0-9a-f][0-9a-f]"))


def test_a_repeat_fetches_only_what_is_new_and_keeps_what_was_force_pushed_away(
    origin: Path, address: str, tmp_path: Path
) -> None:
    mirror = run(address, tmp_path).mirror
    packs = set((mirror / "objects/pack").glob("*.pack"))
    gone = commit(origin, "c.txt", "three")
    run(address, tmp_path)
    git(origin, "reset", "-q", "--hard", "HEAD~1")
    git(origin, "branch", "-m", "trunk", "main")
    done = run(address, tmp_path)
    assert done.mirror == mirror
    assert packs < set((mirror / "objects/pack").glob("*.pack"))
    assert refs(mirror) == refs(origin)
    assert "refs/heads/trunk" not in refs(mirror)
    assert (mirror / "HEAD").read_text(encoding="ascii") == "ref: refs/heads/main\n"
    assert git(mirror, "cat-file", "-t", gone) == "commit"


def test_a_host_that_is_gone_is_a_fault_and_the_kept_mirror_is_searched_all_the_same(
    origin: Path, address: str, tmp_path: Path
) -> None:
    run(address, tmp_path)
    shutil.rmtree(origin)
    done = run(address, tmp_path)
    assert [fault.target for fault in done.heard.faults] == [address]
    assert "could not be brought up to date" in done.heard.faults[0].reason
    assert len(done.heard.hits) == 1


def test_a_remote_that_was_never_reached_is_a_fault(tmp_path: Path) -> None:
    done = run("http://127.0.0.1:9/team.git", tmp_path)
    assert len(done.heard.faults) == 1
    assert done.looked.seen == []


def test_a_host_that_asks_for_a_password_is_not_prompted_for(
    origin: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "user", "YW5uOnRoZXJl")
    done = run(address, tmp_path)
    assert "could not read Username" in done.heard.faults[0].reason


def test_the_users_own_credential_helper_is_asked(
    origin: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "user", "YW5uOnRoZXJl")
    home = tmp_path / "home"
    home.mkdir()
    helper = "!f() { test $1 = get && echo username=ann && echo password=there; }; f"
    git(tmp_path, "config", "--file", str(home / ".gitconfig"), "credential.helper", helper)
    done = run(address, tmp_path, {**CLEAN, "HOME": str(home)})
    assert done.heard.faults == []
    assert refs(done.mirror) == refs(origin)


def test_neither_hooks_nor_templates_nor_filters_of_anybody_run(address: str, tmp_path: Path) -> None:
    home, hooks = tmp_path / "home", tmp_path / "template" / "hooks"
    home.mkdir()
    hooks.mkdir(parents=True)
    for name in ("reference-transaction", "post-checkout", "post-rewrite"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="ascii")
        (hooks / name).chmod(0o755)
    config = str(home / ".gitconfig")
    for key, value in (
        ("core.hooksPath", str(hooks)),
        ("init.templateDir", str(hooks.parent)),
        ("core.fsmonitor", f"touch {tmp_path}/ran"),
        ("fetch.fsckObjects", "true"),
    ):
        git(tmp_path, "config", "--file", config, key, value)
    environment = {**CLEAN, "HOME": str(home), "GIT_TEMPLATE_DIR": str(hooks.parent)}
    done = run(address, tmp_path, environment)
    assert done.heard.faults == []
    assert not (tmp_path / "ran").exists()
    assert not (done.mirror / "hooks").exists()


def test_an_address_with_a_password_or_of_another_transport_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for address, code in (
        ("https://ann:pass-word@host.example/team.git", "address-with-password"),
        ("ssh://ann:pass-word@host.example/team.git", "address-with-password"),
        ("http://host.example/pass-word.git", "address-not-private"),
    ):
        with pytest.raises(BadInputError) as refused:
            run(address, tmp_path)
        assert refused.value.code == code
        assert "pass-word" not in str(vars(refused.value))
    assert checked("ssh://git@host.example/team.git") == "ssh://git@host.example/team.git"


def test_what_is_an_address_and_what_is_a_path() -> None:
    for text in ("https://h/x", "ssh://git@h/x", "git@h.example:team/x.git", "h.example:x", "http://127.0.0.1/x"):
        assert is_remote(text), text
    for text in ("/a/b", "a/b", ".", "file:///a", "ext::sh -c x", "a b:c", "--upload-pack=x:y", "-x@h:y", "C:\\x"):
        assert not is_remote(text), text


def test_git_is_started_without_the_secret_in_its_environment_or_arguments(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = QUERY.secrets[0].reveal().decode()
    started: list[tuple[Any, dict[str, str]]] = []
    really = subprocess.run

    def watched(command: Any, **more: Any) -> Any:
        started.append((command, more["env"]))
        return really(command, **more)

    home = tmp_path / "home"
    home.mkdir()
    git(tmp_path, "config", "--file", str(home / ".gitconfig"), "http.extraHeader", f"X-Token: {value}")
    monkeypatch.setattr("holdfast.engines.exposure.remotes.subprocess.run", watched)
    run(address, tmp_path, {**CLEAN, "HOME": str(home), "XDG_TOKEN": value, "GIT_TRACE": "1", "AWS_TOKEN": "x"})
    ours = [env for command, env in started if "config" not in command]
    assert ours
    assert value not in str(ours) + str([command for command, _ in started])
    assert all("XDG_TOKEN" not in env and "GIT_TRACE" not in env and "AWS_TOKEN" not in env for env in ours)


def test_a_secret_that_only_a_pull_request_has_is_found_and_a_repeat_is_answered_from_what_was_kept(
    origin: Path, address: str, tmp_path: Path
) -> None:
    value = secrets.token_hex(20)
    oid = commit(origin, "c.env", f"KEY={value}")
    git(origin, "update-ref", "refs/pull/8/head", oid)
    git(origin, "reset", "-q", "--hard", "HEAD~1")
    given = {"HOLDFAST_CACHE": str(tmp_path / "cache"), "HOLDFAST_KEYS": str(tmp_path / "keys")}
    query = compile_query([SecretValue(value)])
    told = []
    for _ in range(2):
        heard = Heard()
        target = Target(address, address, "public")
        totals = Kit(load(given), Choices(processes=1)).means().searcher(target).search(target, query, heard)
        told.append(totals.cached)
        assert heard.faults == []
        (hit,) = heard.hits
        assert (hit.target, hit.path, hit.cls, hit.visibility) == (address, "c.env", "exact", "fork-network")
        assert hit.provenance is not None
        assert hit.provenance.first is not None
        assert hit.provenance.first.commit == oid
        assert hit.provenance.refs == ("refs/pull/8/head",)
    assert told[0] == 0 < told[1]


def test_a_registry_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    kit = Kit(load({"HOLDFAST_CACHE": str(tmp_path / "cache"), "HOLDFAST_KEYS": str(tmp_path / "keys")}))
    for address in ("oci://127.0.0.1:9/app", "pypi+http://127.0.0.1:9/simple/app", "npm+http://127.0.0.1:9/app"):
        heard = Heard()
        (target,) = aim([address], "internal")
        kit.means().searcher(target).search(target, QUERY, heard)
        assert [fault.target for fault in heard.faults] == [address]
