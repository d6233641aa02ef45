"""Running a command for capture: no shell, both outputs streamed as they come, and always an end.

Rules:
1. The command gets its arguments as they are, an empty standard input, and a process group of its own.
2. A timeout or an interruption ends the whole group: SIGTERM, and SIGKILL three seconds later.
3. A process left behind that keeps the output open does not keep us: shortly after the command itself has ended
   we stop reading, and say so.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable

from holdfast.app.ports_capture import CommandOrder, Ran
from holdfast.app.ports_vault import ByteSource
from holdfast.evidence.events import Shortfall
from holdfast.kernel.errors import NotFoundError

GRACE_SECONDS = 3.0
"""Between SIGTERM and SIGKILL, and between the command's end and giving up on output that stays open."""
_PIPE_BYTES = 1 << 20
"""The most a pipe holds by default for an ordinary user (``/proc/sys/fs/pipe-max-size``): more than that, read
after the grace, was written after the command's end."""
_POLL_MS = 100


class CommandRunner:
    """Runs commands as children of this process."""

    def run(
        self, order: CommandOrder, stdout: Callable[[ByteSource], None], stderr: Callable[[ByteSource], None]
    ) -> Ran:
        """Run it to its end; each consumer reads its stream to the end, in a thread of its own.

        Raises:
            NotFoundError: it cannot be started.
        """
        process = _start(order)
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            ended = _Ended()
            readers = (
                _Reader(process, _Output(process.stdout.fileno(), ended), stdout),
                _Reader(process, _Output(process.stderr.fileno(), ended), stderr),
            )
            shortfalls = _wait(process, order.timeout_seconds)
            ended.mark()
            for reader in readers:
                reader.join()
        for reader in readers:
            if reader.fault is not None:
                raise reader.fault
        if any(reader.output.held_open for reader in readers):
            shortfalls.append("held_open")
        status = process.returncode
        if status < 0:
            return Ran(None, _signal_name(-status), tuple(shortfalls))
        return Ran(status, None, tuple(shortfalls))


class _Ended:
    """When the command itself ended, told to both readers."""

    def __init__(self) -> None:
        self._at: float | None = None

    def mark(self) -> None:
        self._at = time.monotonic()

    def is_past_grace(self) -> bool:
        return self._at is not None and time.monotonic() - self._at > GRACE_SECONDS


class _Output:
    """One output of the command as a byte source."""

    def __init__(self, descriptor: int, ended: _Ended) -> None:
        self._descriptor = descriptor
        self._ended = ended
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._late = 0
        self.held_open = False

    def read(self, size: int, /) -> bytes:
        while not self.held_open:
            late = self._ended.is_past_grace()
            if self._poll.poll(_POLL_MS):
                data = os.read(self._descriptor, size)
                self._late += len(data) if late else 0
                # A chatty process left behind would otherwise be read for ever.
                self.held_open = bool(data) and self._late > _PIPE_BYTES
                return data
            self.held_open = late
        return b""


class _Reader:
    """Feeds one output to its consumer in a thread; a consumer that fails ends the command."""

    def __init__(
        self, process: subprocess.Popen[bytes], output: _Output, consumer: Callable[[ByteSource], None]
    ) -> None:
        self._process = process
        self._consumer = consumer
        self._thread = threading.Thread(target=self._run, daemon=True, name="capture-output")
        self.output = output
        self.fault: Exception | None = None
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            self._consumer(self.output)
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits, which raises it
            self.fault = error
            _kill_group(self._process, signal.SIGKILL)


def _start(order: CommandOrder) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - running the responder's own command is what this is for
            list(order.arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=order.working_folder,
            env=dict(order.environment),
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError, IndexError) as error:
        why = getattr(error, "strerror", None) or "its name or arguments are not ones a command can have"
        raise NotFoundError(
            "command-not-started",
            "The command was not run, and nothing was captured.",
            why=f"It cannot be started ({why}).",
            next_step="Check its name and that you may run it; it is run without a shell, so for pipes name one: sh -c",
        ) from None


def _wait(process: subprocess.Popen[bytes], timeout: float | None) -> list[Shortfall]:
    """Wait for the command to end, ending it when it is late or the responder interrupts."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        _stop(process)
        return ["timed_out"]
    except KeyboardInterrupt:
        _stop(process)
        return ["interrupted"]
    return []


def _stop(process: subprocess.Popen[bytes]) -> None:
    _kill_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    _kill_group(process, signal.SIGKILL)
    process.wait()


def _kill_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group is gone, or (macOS) only zombies are left in it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
