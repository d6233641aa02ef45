"""Keeping a secret in this process: no core dump, no swapping out, no traceback, no inherited copy.

Rules:
1. Core dumps are off twice: the size limit is zero, which children inherit, and the process is not dumpable, so that
   a crash handler of the system gets nothing either, and no other process of the same user can read its memory.
2. The pages that hold the secret and its spellings are locked in memory and left out of dumps. Libraries make copies
   that nobody can lock; so active swap that is not encrypted is told.
3. A secret that is already in the arguments of this process is refused: it is in the shell's history and in the
   process table. One in the environment is told, and no child of ours inherits the variable.
4. What goes wrong unforeseen is told by its type and place: a message or a local variable could hold the secret.
5. What cannot be found out counts as unsafe: swap whose device is not understood is called unencrypted.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue

_PR_SET_DUMPABLE = 4
_MADV_DONTDUMP = 16
_SHORTEST = 6
"""Bytes. A shorter value is in an environment by chance."""


@dataclass(frozen=True, slots=True)
class Hardened:
    """What was done, and what could not be."""

    core_dumps_off: bool
    locked: int
    """Buffers locked in memory."""
    warnings: tuple[str, ...]
    """Sentences for whoever started the search."""


def harden(secrets: Sequence[SecretValue], spellings: Iterable[bytes] = ()) -> Hardened:
    """Shield this process before it searches.

    Args:
        secrets: what must not get out.
        spellings: other buffers that hold it or parts of it.

    Raises:
        BadInputError: the secret is in the arguments of this process (``secret-in-arguments``).
    """
    refuse_in_arguments(secrets)
    warnings = [
        f"The secret is also in the environment variable {name} of this shell: that is one more place it got to. "
        "It was not handed on."
        for name in variables_with(secrets, os.environ)
    ]
    no_tracebacks()
    dumps_off = no_core_dumps()
    if not dumps_off:
        warnings.append(
            "Core dumps could not be turned off: if this program crashes, the secret may be written to disk."
        )
    buffers = [*(secret.reveal() for secret in secrets), *spellings]
    locked = lock(buffers)
    if locked < len(buffers):
        warnings.append(
            "The memory that holds the secret could not be locked (see ulimit -l); under memory pressure it may be "
            "swapped out."
        )
    swap = unencrypted_swap()
    if swap:
        warnings.append(
            f"Swap is active and not known to be encrypted ({', '.join(swap)}): copies that libraries make of the "
            "secret can get there. Turn it off with: swapoff -a"
        )
    return Hardened(dumps_off, locked, tuple(warnings))


def no_core_dumps() -> bool:
    """Turn core dumps off for this process and its children; whether that worked."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    if sys.platform != "linux":
        return True
    return int(_libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0


def lock(buffers: Iterable[bytes]) -> int:
    """Lock the pages of these buffers in memory and leave them out of dumps; how many that worked for.

    Locks are not inherited by a forked worker: it calls this again.
    """
    libc = _libc()
    page = resource.getpagesize()
    done = 0
    for buffer in buffers:
        start = ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value or 0
        first = start - start % page
        length = start + max(len(buffer), 1) - first
        if libc.mlock(ctypes.c_void_p(first), ctypes.c_size_t(length)) == 0:
            done += 1
        if sys.platform == "linux":
            libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(length), _MADV_DONTDUMP)
    return done


def refuse_in_arguments(secrets: Sequence[SecretValue]) -> None:
    """Refuse when the process table already shows a secret.

    Raises:
        BadInputError: it does (``secret-in-arguments``).
    """
    given = b"\0".join(map(os.fsencode, sys.argv))
    with contextlib.suppress(OSError):  # elsewhere than on Linux, what Python says of the arguments is all there is
        given += Path("/proc/self/cmdline").read_bytes()
    if any(secret.reveal() and secret.reveal() in given for secret in secrets):
        raise BadInputError(
            "secret-in-arguments",
            "Nothing was searched.",
            why="The secret itself is among the arguments, so it is now in the shell's history and was in the process "
            "table.",
            next_step="Clear it from the history, then: holdfast exposure search --secret-stdin TARGET",
        )


def variables_with(secrets: Sequence[SecretValue], environment: Mapping[str, str]) -> list[str]:
    """Names of the variables that hold a secret, sorted."""
    values = [secret.reveal() for secret in secrets if len(secret.reveal()) >= _SHORTEST]
    return sorted(name for name, text in environment.items() if any(value in os.fsencode(text) for value in values))


def scrubbed(environment: Mapping[str, str], secrets: Sequence[SecretValue]) -> dict[str, str]:
    """The environment without the variables that hold a secret."""
    held = set(variables_with(secrets, environment))
    return {name: text for name, text in environment.items() if name not in held}


def no_tracebacks() -> None:
    """From here on an unforeseen error shows its type and the place in our source, and nothing else."""
    faulthandler.disable()
    sys.excepthook = _told
    threading.excepthook = _told_in_thread
    sys.unraisablehook = _told_unraisable


def unencrypted_swap(root: Path = Path("/")) -> tuple[str, ...]:
    """Active swap that may write memory to disk as it is.

    Compressed memory (zram without a disk behind it) and devices that are encrypted, or lie on such, are left out.

    Args:
        root: where ``proc``, ``sys`` and ``dev`` are.
    """
    try:
        lines = (root / "proc/swaps").read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return ()
    return tuple(name for name in (line.split()[0] for line in lines if line.split()) if not _safe(root, name))


def _safe(root: Path, name: str) -> bool:
    place = root / name.lstrip("/")
    try:
        found = place.resolve()
        if found.is_relative_to(root / "dev"):
            return _device_safe(root, root / "sys/class/block" / found.name)
        number = found.stat().st_dev
    except OSError:
        return False
    return _device_safe(root, root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}")


def _device_safe(root: Path, device: Path) -> bool:
    """Whether everything written to a block device stays in memory or is encrypted."""
    if device.name.startswith("zram"):
        return _text(device / "backing_dev") in ("none", "")
    if _text(device / "dm/uuid").startswith("CRYPT-"):
        return True
    try:
        below = sorted((device / "slaves").iterdir())
    except OSError:
        return False
    return bool(below) and all(_device_safe(root, root / "sys/class/block" / one.name) for one in below)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _told(kind: type[BaseException], _value: BaseException | None, trace: TracebackType | None) -> None:
    place = ""
    while trace is not None:
        place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    sys.stderr.write(f"Something unforeseen happened: {kind.__name__}{place}.\n")


def _told_in_thread(about: threading.ExceptHookArgs) -> None:
    _told(about.exc_type, about.exc_value, about.exc_traceback)


def _told_unraisable(about: sys.UnraisableHookArgs) -> None:
    _told(about.exc_type, about.exc_value, about.exc_traceback)
