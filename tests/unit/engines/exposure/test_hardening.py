"""What keeps a secret inside the process, tried on real processes."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.engines.exposure import hardening
from holdfast.engines.exposure.hardening import scrubbed, unencrypted_swap, variables_with
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue


def made_up() -> bytes:
    return secrets.token_hex(24).encode()


def child(code: str, *, given: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """A Python of its own: what is hardened stays so for the life of a process."""
    return subprocess.run(
        [sys.executable, "-c", code], input=given, capture_output=True, check=False, env={**os.environ, **(env or {})}
    )


READ = """
import sys
from holdfast.engines.exposure import hardening
from holdfast.kernel.secrets import SecretValue
secret = SecretValue(sys.stdin.buffer.read())
"""


def test_a_hardened_process_can_leave_no_core_dump_and_nor_can_its_children() -> None:
    told = child(
        READ
        + "import resource, subprocess\n"
        + "done = hardening.harden([secret])\n"
        + "import ctypes\n"
        + "print(done.core_dumps_off, resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3))\n"
        + "print(subprocess.run(['sh', '-c', 'ulimit -c'], capture_output=True, text=True).stdout)\n",
        given=made_up(),
    )
    assert told.stdout.split() == [b"True", b"(0,", b"0)", b"0", b"0"], told.stderr


def test_the_pages_of_the_secret_and_its_spellings_are_locked() -> None:
    told = child(
        READ
        + "before = [l for l in open('/proc/self/status') if l.startswith('VmLck')][0].split()[1]\n"
        + "done = hardening.lock([secret.reveal(), secret.reveal()[::-1]])\n"
        + "after = [l for l in open('/proc/self/status') if l.startswith('VmLck')][0].split()[1]\n"
        + "print(done, int(after) > int(before))\n",
        given=made_up(),
    )
    assert told.stdout.split() == [b"2", b"True"], told.stderr


def test_memory_that_cannot_be_locked_is_told() -> None:
    # A system call filter would be the real thing; what counts here is that the answer of mlock is heeded.
    told = child(
        READ
        + "class Refusing:\n"
        + "    mlock = staticmethod(lambda *_: -1)\n"
        + "    madvise = staticmethod(lambda *_: 0)\n"
        + "    prctl = staticmethod(lambda *_: 0)\n"
        + "hardening._libc = Refusing\n"
        + "print('ulimit -l' in ' '.join(hardening.harden([secret]).warnings))\n",
        given=made_up(),
    )
    assert told.stdout.split() == [b"True"], told.stderr


def test_an_unforeseen_error_shows_its_type_and_place_and_not_its_message() -> None:
    secret = made_up()
    for raising in (
        "def lost(value):\n    raise KeyError(value)\nlost(secret.reveal().decode())\n",
        "import threading\ndef lost():\n    raise ValueError(secret.reveal().decode())\n"  # noqa: ISC004 - one program
        "one = threading.Thread(target=lost)\none.start()\none.join()\n",
        "class Lost:\n    def __del__(self):\n        raise OSError(secret.reveal().decode())\nLost()\n",
    ):
        told = child(READ + "hardening.no_tracebacks()\n" + raising, given=secret, env={"PYTHONFAULTHANDLER": "1"})
        assert secret not in told.stderr + told.stdout
        assert b"Something unforeseen happened: " in told.stderr
        assert b" at <string>:" in told.stderr


def test_a_secret_among_the_arguments_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = made_up()
    monkeypatch.setattr(sys, "argv", ["holdfast", "exposure", "search", f"--label={secret.decode()}"])
    with pytest.raises(BadInputError) as refused:
        hardening.refuse_in_arguments([SecretValue(secret)])
    assert refused.value.code == "secret-in-arguments"
    assert secret.decode() not in str(vars(refused.value)) + str(refused.value)
    hardening.refuse_in_arguments([SecretValue(made_up())])


def test_the_process_table_counts_even_where_the_arguments_were_rewritten() -> None:
    secret = made_up()
    told = subprocess.run(
        [sys.executable, "-c", READ + "sys.argv = ['']\nhardening.refuse_in_arguments([secret])\n", secret],
        input=secret,
        capture_output=True,
        check=False,
    )
    assert b"secret-in-arguments" not in told.stdout
    assert b"BadInputError" in told.stderr
    assert secret not in told.stderr


def test_a_variable_that_holds_the_secret_is_named_and_handed_on_to_nobody() -> None:
    secret = made_up()
    environment = {"PATH": "/bin", "TOKEN": f"Bearer {secret.decode()}", "ODD": "\udcff"}
    assert variables_with([SecretValue(secret)], environment) == ["TOKEN"]
    assert scrubbed(environment, [SecretValue(secret)]) == {"PATH": "/bin", "ODD": "\udcff"}
    told = child(READ + "print(hardening.harden([secret]).warnings)\n", given=secret, env={"LEAKED": secret.decode()})
    assert b"LEAKED" in told.stdout
    assert secret not in told.stdout


def system(root: Path, *swaps: str) -> Path:
    """A system's ``/proc`` and ``/sys`` with these active swaps."""
    for folder in ("proc", "dev", "sys/class/block", "sys/dev/block"):
        (root / folder).mkdir(parents=True)
    lines = ["Filename\tType\tSize\tUsed\tPriority", *(f"{name}\tpartition\t1\t0\t-2" for name in swaps)]
    (root / "proc/swaps").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def device(root: Path, name: str, *, below: tuple[str, ...] = (), **files: str) -> None:
    (root / "dev" / name).touch()
    place = root / "sys/class/block" / name
    (place / "slaves").mkdir(parents=True)
    for one in below:
        (place / "slaves" / one).touch()
    for file, text in files.items():
        path = place / file.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def test_swap_on_a_plain_partition_is_told_and_none_is_not(tmp_path: Path) -> None:
    assert unencrypted_swap(system(tmp_path / "none")) == ()
    root = system(tmp_path / "plain", "/dev/sda2")
    device(root, "sda2")
    assert unencrypted_swap(root) == ("/dev/sda2",)


def test_swap_in_compressed_memory_counts_only_without_a_disk_behind_it(tmp_path: Path) -> None:
    root = system(tmp_path, "/dev/zram0", "/dev/zram1")
    device(root, "zram0", backing_dev="none")
    device(root, "zram1", backing_dev="/dev/sda3")
    assert unencrypted_swap(root) == ("/dev/zram1",)


def test_swap_on_an_encrypted_device_is_safe_and_so_is_a_volume_on_one(tmp_path: Path) -> None:
    root = system(tmp_path, "/dev/dm-0", "/dev/dm-1", "/dev/dm-2", "/dev/dm-3")
    device(root, "dm-0", dm__uuid="CRYPT-PLAIN-swap")
    device(root, "dm-1", dm__uuid="LVM-abc", below=("dm-0",))
    device(root, "dm-2", dm__uuid="LVM-def", below=("dm-0", "sda2"))
    device(root, "sda2")
    device(root, "dm-3", dm__uuid="LVM-ghi")
    assert unencrypted_swap(root) == ("/dev/dm-2", "/dev/dm-3")


def test_swap_in_a_file_is_as_safe_as_the_device_it_lies_on(tmp_path: Path) -> None:
    root = system(tmp_path, "/swapfile", "/gone")
    (root / "swapfile").touch()
    number = (root / "swapfile").stat().st_dev
    place = root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
    (place / "dm").mkdir(parents=True)
    (place / "dm/uuid").write_text("CRYPT-LUKS2-abc-root", encoding="utf-8")
    assert unencrypted_swap(root) == ("/gone",)


def test_this_machines_own_swap_can_be_looked_at() -> None:
    names = [line.split()[0] for line in Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]]
    assert set(unencrypted_swap()) <= set(names)
