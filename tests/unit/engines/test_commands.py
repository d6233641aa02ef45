from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from holdfast.app.ports_capture import CommandOrder, Ran
from holdfast.app.ports_vault import ByteSource
from holdfast.engines import commands
from holdfast.engines.commands import CommandRunner
from holdfast.kernel.errors import NotFoundError


def run(code: str, timeout: float | None = 20) -> tuple[Ran, bytes, bytes]:
    kept: dict[str, bytes] = {}

    def keep(which: str, source: ByteSource) -> None:
        data = b""
        while chunk := source.read(1 << 16):
            data += chunk
        kept[which] = data

    order = CommandOrder((sys.executable, "-c", code), dict(os.environ), "/", timeout)
    ran = CommandRunner().run(order, lambda source: keep("out", source), lambda source: keep("err", source))
    return ran, kept["out"], kept["err"]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "GRACE_SECONDS", 0.3)


def test_both_outputs_are_read_whole_at_the_same_time() -> None:
    code = "import sys\nfor _ in range(300): sys.stdout.write('o' * 1000); sys.stderr.write('e' * 1000)"
    ran, out, err = run(code)
    assert (ran, len(out), len(err)) == (Ran(0, None, ()), 300_000, 300_000)


def test_standard_input_is_empty() -> None:
    assert run("import sys; print(repr(sys.stdin.read()))")[1] == b"''\n"


def test_a_signal_is_named() -> None:
    ran, out, _ = run("import os; os.write(1, b'before'); os.kill(os.getpid(), 9)")
    assert (ran, out) == (Ran(None, "SIGKILL", ()), b"before")


def test_arguments_are_not_given_to_a_shell() -> None:
    out: list[bytes] = []
    order = CommandOrder(("echo", "$HOME; `id` *"), dict(os.environ), "/", 20)
    CommandRunner().run(order, lambda source: out.append(source.read(100)), lambda source: None)
    assert out == [b"$HOME; `id` *\n"]


@pytest.mark.parametrize("arguments", [("no-such-command-here",), ("/etc/passwd",), ("a\0b",), ()])
def test_a_command_that_cannot_start_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(NotFoundError) as refusal:
        CommandRunner().run(CommandOrder(arguments, dict(os.environ), "/"), lambda _: None, lambda _: None)
    assert refusal.value.code == "command-not-started"


def test_a_late_command_is_ended_with_its_whole_group(short_grace: None, tmp_path: Path) -> None:
    code = f"""
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    open({str(tmp_path / "child")!r}, "w").write(str(child))
os.write(1, b"partial\\n")
time.sleep(60)
"""
    begun = time.monotonic()
    ran, out, _ = run(code, timeout=1.0)
    assert (ran.signal, ran.shortfalls) == ("SIGKILL", ("timed_out",))
    assert out == b"partial\npartial\n"
    assert time.monotonic() - begun < 10
    deadline = time.monotonic() + 5
    child = Path("/proc") / (tmp_path / "child").read_text() / "stat"
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child)


def is_alive(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_left_behind_does_not_keep_us(short_grace: None) -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '4']); print('done', flush=True)"
    begun = time.monotonic()
    ran, out, _ = run(code)
    assert (ran, out) == (Ran(0, None, ("held_open",)), b"done\n")
    assert time.monotonic() - begun < 4


def test_an_interruption_ends_the_command_and_is_told(short_grace: None, monkeypatch: pytest.MonkeyPatch) -> None:
    real = commands.subprocess.Popen.wait
    interruptions = iter([KeyboardInterrupt()])

    def wait(self: object, timeout: float | None = None) -> int:
        for interruption in interruptions:
            raise interruption
        return int(real(self, timeout))  # type: ignore[arg-type]  # the very Popen

    monkeypatch.setattr(commands.subprocess.Popen, "wait", wait)
    ran, _, _ = run("import time; time.sleep(60)")
    assert (ran.signal, ran.shortfalls) == ("SIGTERM", ("interrupted",))


def test_a_consumer_that_fails_ends_the_command_and_its_fault_is_raised() -> None:
    def fail(_source: ByteSource) -> None:
        raise ConnectionResetError

    order = CommandOrder((sys.executable, "-c", "import time; time.sleep(60)"), dict(os.environ), "/", 30)
    begun = time.monotonic()
    with pytest.raises(ConnectionResetError):
        CommandRunner().run(order, fail, lambda source: source.read(1) and None)
    assert time.monotonic() - begun < 10
