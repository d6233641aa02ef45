"""Evidence in and packs out, against ``sha256sum`` and ``cp`` in the same run: the physical limit is reading twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from holdfast.app.exporting import export
from holdfast.app.settings import load
from holdfast.app.signing_in import viewer_of
from holdfast.evidence.packs.verify import verify
from holdfast.wiring import build

SIZE = 512 << 20
ROUNDS = 3


def best(act: Callable[[], object]) -> float:
    """The quickest of a few rounds, seconds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        source = folder / "evidence.bin"
        with source.open("wb") as file:
            for _ in range(SIZE >> 20):
                file.write(os.urandom(1 << 20))
        app = build(load({"HOLDFAST_DATA": str(folder / "data"), "HOLDFAST_KEYS": str(folder / "keys")}))
        app.add_first_account("ana")
        viewer = viewer_of(app.states.installation().accounts["ana"], "local")
        incident = app.execute("declare", {"name": "Bench"}, viewer).incident_id

        def ingest() -> None:
            with source.open("rb", buffering=0) as stream:
                digest, _ = app.upload(incident, viewer, stream)  # type: ignore[arg-type]
            app.vault.erase(digest)

        def baseline() -> None:
            copy = folder / "copy.bin"
            subprocess.run(["sha256sum", source], check=True, stdout=subprocess.DEVNULL)
            shutil.copyfile(source, copy)
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            copy.unlink()

        theirs, ours = best(baseline), best(ingest)
        rate = f"{SIZE / ours / 1e6:,.0f} MB/s, {theirs / ours:.2f} of sha256sum + cp + fsync (aim 0.8)"
        print(f"ingest of {SIZE >> 20} MiB: {rate}")

        with source.open("rb") as stream:
            digest, size = app.upload(incident, viewer, stream)
        added = {"sha256": digest, "size": size, "kind": "file", "name": "evidence.bin"}
        app.execute("evidence-add", added, viewer, incident_id=incident)
        pack = folder / "pack.tar"
        with pack.open("wb") as out:
            export(app, incident, viewer, out, recipient="bench", purpose="bench")

        def check() -> None:
            with pack.open("rb") as file:
                verify(file)

        hashing = best(lambda: subprocess.run(["sha256sum", pack], check=True, stdout=subprocess.DEVNULL))
        checking = best(check)
        print(
            f"verify of a {pack.stat().st_size >> 20} MiB pack: {hashing / checking:.2f} of sha256sum alone (aim 0.8)"
        )
        app.close()


if __name__ == "__main__":
    main()
