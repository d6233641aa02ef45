"""The last scene: the pack, both verifiers, and a tampered copy that both refuse with the place."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from holdfast.demo.people import run
from holdfast.demo.story import Show
from holdfast.kernel.errors import DamagedError

REFUSED = 9
"""Exit code of both verifiers for a pack that fails."""
VERIFIER = "verify_pack.py"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verifier said."""

    code: int
    words: str


def pack(show: Show) -> Path:
    """Write the pack, verify it twice, tamper with a copy, and see that refused twice.

    Raises:
        DamagedError: a verifier did not say what it must.
    """
    incident, folder = show.values["incident"], show.place.folder
    file = folder / f"{incident}.tar"
    written = show.cast.types(
        "fay", "pack", incident, "-o", str(file), "--recipient", "The auditor", "--purpose", "Audit"
    )
    _must(written.returncode == 0, f"holdfast pack ended with {written.returncode}: {written.stderr.strip()}")
    show.teller.says("fay", f"exports one file for the auditor: {file.name}, {file.stat().st_size:,} bytes.")
    _must(show.leak.secret.reveal() not in file.read_bytes(), "The leaked secret is in the pack.")
    keys = folder / "pinned-keys.txt"
    listed = show.person("fay").remote.request("GET", "/keys")["verifier_keys"]
    keys.write_text("\n".join(listed) + "\n", encoding="utf-8")

    good = with_holdfast(show, file, keys)
    _must(good.code == 0 and "authentic" in good.words, f"holdfast verify ended with {good.code}: {good.words}")
    show.teller.says("auditor", f"holdfast verify: {good.words}")
    own = take_verifier(file, folder)
    good = with_verifier(show, own, file, listed)
    _must(good.code == 0 and "authentic" in good.words, f"{VERIFIER} ended with {good.code}: {good.words}")
    show.teller.says("auditor", f"python3 -I {VERIFIER}, one file without Holdfast: {good.words.splitlines()[-1]}")

    bad = tamper(file, folder / f"{incident}-tampered.tar")
    for name, said in (
        ("holdfast verify", with_holdfast(show, bad, keys)),
        (f"python3 -I {VERIFIER}", with_verifier(show, own, bad, listed)),
    ):
        _must(said.code == REFUSED, f"{name} accepted a tampered pack: {said.words}")
        show.teller.says("auditor", f"one bit of a copy flipped; {name} refuses it: {' '.join(said.words.split())}")
    bad.unlink()
    return file


def with_holdfast(show: Show, file: Path, keys: Path) -> Checked:
    """``holdfast verify`` against the pinned keys."""
    command = show.place.cli("verify", str(file), "--pinned-keys", str(keys))
    said = run(command, {**show.place.environment, "NO_COLOR": "1"}, show.place.folder)
    if said.returncode == 0:
        return Checked(0, said.stdout.strip())
    lines = said.stderr.splitlines()
    first = next((number for number, line in enumerate(lines) if "refused" in line), 0)
    return Checked(said.returncode, " ".join(lines[first : first + 2]))


def with_verifier(show: Show, verifier: Path, file: Path, keys: list[str]) -> Checked:
    """The pack's own verifier, by a Python that looks at nothing around it."""
    python = shutil.which("python3") or "python3"
    options = [option for key in keys for option in ("--key", key)]
    said = run(
        [python, "-I", str(verifier), str(file), *options], {"PATH": show.place.environment["PATH"]}, show.place.folder
    )
    return Checked(said.returncode, said.stdout.strip() or said.stderr.strip()[-300:])


def take_verifier(file: Path, folder: Path) -> Path:
    """The verifier out of the pack; an auditor uses a copy of their own, as a forged pack could bring a forged one."""
    with tarfile.open(file) as archive:
        member = next(one for one in archive.getmembers() if one.name.endswith("/" + VERIFIER) or one.name == VERIFIER)
        stream = archive.extractfile(member)
        assert stream is not None
        target = folder / VERIFIER
        target.write_bytes(stream.read())
    return target


def tamper(file: Path, copy: Path) -> Path:
    """A copy in which one bit of a captured file is flipped."""
    shutil.copyfile(file, copy)
    with tarfile.open(file) as archive:
        member = next(one for one in archive.getmembers() if "/data/evidence/" in f"/{one.name}" and one.size > 0)
    with copy.open("r+b") as stream:
        stream.seek(member.offset_data)
        first = stream.read(1)[0]
        stream.seek(member.offset_data)
        stream.write(bytes([first ^ 1]))
    return copy


def _must(holds: bool, why: str) -> None:  # noqa: FBT001 - an assertion with our own error
    if not holds:
        raise DamagedError(
            "demo-pack-unproven",
            "The demo stops: its pack is not what it must be.",
            why=why,
            next_step="This is a defect of Holdfast; keep demo-data for whoever looks into it.",
        )
