"""The canary: a secret is searched for with the real command, and then looked for in everything that the run left.

Its spellings are made here, by the standard library alone, so that a mistake of the product cannot hide itself. What
counts as a leak is any twelve bytes of any spelling: in a file that was opened for writing, in the arguments and the
environment of any program that was started, in anything any process wrote, and in shared memory.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import gzip
import html
import io
import json
import os
import re
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PIECE = 12
VALUE = f'{secrets.token_urlsafe(18)}/+=&"<{secrets.token_urlsafe(24)}'
TRACED = "openat,open,creat,execve,write,pwrite64,writev,pwritev,sendto,sendmsg,memfd_create,rename,renameat2,symlink"


def spellings(value: str) -> list[bytes]:
    """The secret in every form that a program may give it."""
    raw = value.encode()
    aligned = [base64.b64encode(b"\0" * pad + raw).lstrip(b"A") for pad in range(3)]
    found = [raw, raw[::-1], *aligned, *(one.translate(bytes.maketrans(b"+/", b"-_")) for one in aligned)]
    found += [base64.b64encode(one) for one in aligned] + [base64.b32encode(raw)]
    found += [raw.hex().encode(), raw.hex().upper().encode(), raw.hex(" ").encode()]
    found += [urllib.parse.quote(value, safe="").encode(), urllib.parse.quote_plus(value).lower().encode()]
    found += [json.dumps(value).encode(), html.escape(value).encode(), repr(value).encode(), value.upper().encode()]
    found += [value.encode("utf-16-le"), value.encode("utf-16-be")]
    found += ["".join(f"\\x{byte:02x}" for byte in raw).encode(), "".join(f"\\u{byte:04x}" for byte in raw).encode()]
    return found


PIECES = {one[at : at + PIECE] for one in spellings(VALUE) for at in range(len(one) - PIECE + 1)}
PIECES -= {b"0" * PIECE, bytes(PIECE)}


def leaks(data: bytes) -> bool:
    return any(data[at : at + PIECE] in PIECES for at in range(len(data) - PIECE + 1))


@dataclass
class World:
    """A folder of targets, and a home that starts out empty."""

    targets: Path
    home: Path
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "holdfast.cli", "exposure", *words]

    def places(self) -> list[str]:
        return [str(self.targets / name) for name in ("repo", "folder", "logs.tar.gz")]

    def left(self) -> list[Path]:
        """Every file that lies where programs leave files."""
        return [path for path in self.home.rglob("*") if path.is_file()]


def git(folder: Path, *arguments: str) -> None:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=clean, check=True, capture_output=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    targets, home = tmp_path / "targets", tmp_path / "home"
    repo, folder = targets / "repo", targets / "folder"
    repo.mkdir(parents=True)
    (folder / VALUE[:8]).mkdir(parents=True)
    git(repo, "init", "-q")
    for number, spelled in enumerate(spellings(VALUE)):
        (repo / f"{number}.env").write_bytes(b"KEY=" + spelled + b"\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "Configure")
    git(repo, "rm", "-q", "-r", ".")
    (repo / "app.env").write_text("KEY=\n", encoding="ascii")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", f"Remove {VALUE}")
    git(repo, "gc", "-q")
    (folder / "config.json").write_text(json.dumps({"password": VALUE}), encoding="ascii")
    (folder / "dump.gz").write_bytes(gzip.compress(base64.b64encode(VALUE.encode())))
    with zipfile.ZipFile(folder / "inner.zip", "w") as inner:
        inner.writestr(f"{urllib.parse.quote(VALUE, safe='')}.txt", VALUE)
    with tarfile.open(targets / "logs.tar.gz", "w:gz") as logs:
        member = tarfile.TarInfo("build/log.txt")
        member.size = len(VALUE)
        logs.addfile(member, io.BytesIO(VALUE.encode()))
        logs.add(folder / "inner.zip", "inner.zip")
    for name in ("tmp", "cache", "keys", "data", "work"):
        (home / name).mkdir(parents=True)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "PYTHONPATH")},
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "HOLDFAST_CACHE": str(home / "cache"),
        "HOLDFAST_KEYS": str(home / "keys"),
        "HOLDFAST_DATA": str(home / "data"),
        "GIT_TRACE2_EVENT": str(home / "tmp/trace2"),
        "PYTHONFAULTHANDLER": "1",
    }
    return World(targets, home, environment)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def shared_memory() -> set[Path]:
    return set(Path("/dev/shm").iterdir()) if Path("/dev/shm").is_dir() else set()


def told(stdout: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_the_spellings_of_the_canary_are_in_the_targets_and_would_be_noticed(world: World) -> None:
    assert all(leaks(b"noise " * 9 + one[3:-3]) for one in spellings(VALUE) if len(one) > 2 * PIECE)
    assert not leaks(os.urandom(1 << 16) + json.dumps(list(range(5_000))).encode())
    assert leaks((world.targets / "folder/config.json").read_bytes())


@pytest.mark.parametrize("engine", [(), ("--plain",)], ids=["fast", "plain"])
def test_nothing_that_a_run_says_or_leaves_behind_holds_the_secret(world: World, engine: tuple[str, ...]) -> None:
    before, memory = contents(world.targets), shared_memory()
    done = subprocess.run(
        [*world.command("index", "add"), str(world.targets / "folder")],
        cwd=world.home / "work",
        env=world.environment,
        capture_output=True,
        check=True,
    )
    # The second one is answered from what the first one kept.
    for shape in (("--json",), ()) if not engine else (("--json",),):
        words = ["search", "--secret-stdin", "--label", "canary", *shape, *engine, *world.places()]
        with subprocess.Popen(
            world.command(*words),
            cwd=world.home / "work",
            env=world.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            seen: list[bytes] = []
            watcher = threading.Thread(target=watch, args=(process, seen))
            watcher.start()
            stdout, stderr = process.communicate(VALUE.encode())
            watcher.join()
        assert process.returncode == 0, stderr
        assert seen
        assert not leaks(stdout + stderr + b"".join(seen) + done.stdout + done.stderr)
        if shape:
            *hits, end = told(stdout)
            assert {hit["target"] for hit in hits if hit["kind"] == "hit"} >= set(world.places())
            assert end["complete"] is True
            assert {"exact", "encoded"} <= set(end["by_class"])  # type: ignore[call-overload]
    left = world.left()
    assert [path for path in left if leaks(path.read_bytes()) or leaks(os.fsencode(path))] == []
    assert any("exposure/results" in str(path) for path in left)
    assert any("exposure/index" in str(path) for path in left)
    assert all(path.stat().st_mode & 0o077 == 0 for path in left if "exposure" in str(path))
    assert contents(world.targets) == before
    assert not any(leaks(path.read_bytes()) for path in shared_memory() - memory if path.is_file())


def watch(process: subprocess.Popen[bytes], seen: list[bytes]) -> None:
    """Keep the arguments and environments of a process and its descendants, for as long as it is there."""
    while process.poll() is None:
        parents = {one.parent.name: one for one in Path("/proc").glob("[0-9]*/stat")}
        ours = {str(process.pid)}
        for name in sorted(parents, key=int):
            with contextlib.suppress(OSError):
                if parents[name].read_bytes().rpartition(b")")[2].split()[1].decode() in ours:
                    ours.add(name)
        for name in ours:
            for file in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    told = Path("/proc", name, file).read_bytes()
                    if told not in seen:
                        seen.append(told)
        time.sleep(0.05)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("strace") is None, reason="needs root and strace: the searched process hides"
)
def test_no_process_of_a_run_writes_the_secret_anywhere_or_starts_a_program_with_it(world: World) -> None:
    _, indiscreet = traced(world, "cat")
    assert any(leaks(codecs.escape_decode(line)[0]) for line in indiscreet.splitlines())  # type: ignore[attr-defined]
    done, log = traced(world, *world.command("search", "--secret-stdin", "--json", *world.places()))
    assert done.returncode == 0, done.stderr
    assert told(done.stdout)[-1]["complete"] is True
    assert b"execve(" in log
    assert b'\\"kind\\": \\"end\\"' in log
    for line in log.splitlines():
        assert not leaks(codecs.escape_decode(line)[0]), line[:80]  # type: ignore[attr-defined]
    opened = set(re.findall(rb'(?:openat|open|creat)\((?:[^"]*, )?"([^"]+)", [^)]*(?:O_WRONLY|O_RDWR|O_CREAT)', log))
    assert opened
    written = [path for path in (world.home / "work" / os.fsdecode(one) for one in opened) if path.is_file()]
    assert [path for path in written if leaks(path.read_bytes())] == []


def traced(world: World, *command: str) -> tuple[subprocess.CompletedProcess[bytes], bytes]:
    """Run a command with the secret on its standard input; how it ended, and what strace saw."""
    log = world.home.parent / "strace.log"
    done = subprocess.run(
        ["strace", "-f", "-v", "-s", "1000000", "-o", str(log), "-e", f"trace={TRACED}", *command],
        input=VALUE.encode(),
        cwd=world.home / "work",
        env=world.environment,
        capture_output=True,
        check=False,
    )
    return done, log.read_bytes()


@dataclass
class Started:
    process: subprocess.Popen[bytes]
    folder: Path


@pytest.fixture
def under_way(world: World) -> Iterator[Started]:
    """A search that has the secret and is far from its end: zeros, many gigabytes of them when they are inflated."""
    (world.targets / "folder" / "z.gz").write_bytes(gzip.compress(bytes(64 << 20)) * 1_000)
    folder = world.home / "work"
    with (world.home.parent / "stdout").open("wb") as out, (world.home.parent / "stderr").open("wb") as err:
        process = subprocess.Popen(
            with_cores(*world.command("search", "--secret-stdin", "--json", "--processes", "1", *world.places())),
            cwd=folder,
            env=world.environment,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
        )
    assert process.stdin is not None
    process.stdin.write(VALUE.encode())
    process.stdin.close()
    end = time.monotonic() + 60
    while b'"kind": "hit"' not in (world.home.parent / "stdout").read_bytes():
        assert process.poll() is None, (world.home.parent / "stderr").read_bytes()
        assert time.monotonic() < end
        time.sleep(0.02)
    yield Started(process, folder)
    if process.poll() is None:
        process.kill()
    process.wait()


def with_cores(*command: str) -> list[str]:
    """The command with the largest core dump that it may have."""
    return ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh", *command]


def test_a_crash_leaves_no_core_and_tells_nothing(world: World, under_way: Started) -> None:
    abandoned = world.home / "abandoned"
    abandoned.mkdir()
    subprocess.run(with_cores(sys.executable, "-c", "import os; os.abort()"), cwd=abandoned, check=False)
    under_way.process.send_signal(signal.SIGABRT)
    assert under_way.process.wait(30) == -signal.SIGABRT
    assert list(under_way.folder.iterdir()) == []
    said = (world.home.parent / "stdout").read_bytes() + (world.home.parent / "stderr").read_bytes()
    assert not leaks(said)
    assert b"Traceback" not in said
    if Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip() == "core":
        unbounded = resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
        assert bool(list(abandoned.glob("core*"))) == unbounded, "the same crash of any other program leaves a core"
    shutil.rmtree(abandoned)
    assert [path for path in world.left() if leaks(path.read_bytes())] == []


def test_an_interruption_ends_with_a_last_line_that_says_incomplete(world: World, under_way: Started) -> None:
    under_way.process.send_signal(signal.SIGINT)
    assert under_way.process.wait(30) == 130
    *_, end = told((world.home.parent / "stdout").read_bytes())
    assert (end["kind"], end["complete"], end["interrupted"]) == ("end", False, True)
    assert not leaks((world.home.parent / "stdout").read_bytes() + (world.home.parent / "stderr").read_bytes())
    assert [path for path in world.left() if leaks(path.read_bytes())] == []
