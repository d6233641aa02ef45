"""A reader process that dies takes nothing with it unsaid."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.engines.ingest import workers
from holdfast.engines.ingest.reading import Setup
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.work import Done, Job, Wanted


def deadly(job: Job, _setup: Setup) -> Done:
    """Counts one record for each file; dies of a file that says so, or once of one that says that."""
    done = Done()
    for file in job.files:
        content = file.path.read_text()
        if content == "die" or (content == "once" and not _died_before(file.path)):
            os.kill(os.getpid(), signal.SIGKILL)
        tally = Tally(file.input_no, file.shown, size=file.size)
        tally.quarantine(content)
        done.tallies.append(tally)
    return done


def _died_before(path: Path) -> bool:
    mark = path.with_suffix(".died")
    seen = mark.exists()
    mark.touch()
    return seen


def test_what_kills_its_process_twice_is_named_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "read_job", deadly)
    told = ["well", "die", "well", "once", "well"]
    files = []
    for number, content in enumerate(told, 1):
        path = tmp_path / f"{number}.log"
        path.write_text(content)
        files.append(Wanted(path, path.name, None, 4, number))
    job = Job("f", tmp_path, ())
    jobs = [replace(job, name="f0", files=tuple(files[:2])), replace(job, name="f1", files=tuple(files[2:]))]
    heard: list[str] = []
    done = workers.run_jobs(jobs, Setup(), 2, lambda job: heard.append(job.name))
    found = {tally.input_no: list(tally.reasons) for one in done for tally in one.tallies}
    assert found == {1: ["well"], 2: [workers.DIED], 3: ["well"], 4: ["once"], 5: ["well"]}
    assert sorted(heard) == ["f0", "f1"]
