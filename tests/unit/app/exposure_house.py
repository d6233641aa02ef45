"""A house whose exposure searches are plain ones, and what is done in it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.app.capturing import Capturer, Collector, Labels
from holdfast.app.exposure_results import Result
from holdfast.app.exposures import Running, Wanted
from holdfast.exposure.report import Report
from holdfast.kernel.secrets import SecretValue
from tests.house import House, open_house
from tests.unit.app.plain_search import plain_means
from tests.unit.exposure import world


@contextmanager
def searching_house(installation: Path) -> Iterator[House]:
    """It lets a folder of mirrors be searched."""
    allowed = installation / "mirrors"
    allowed.mkdir()
    with open_house(installation, HOLDFAST_EXPOSURE_ROOTS=str(allowed)) as found:
        found.app.exposure_searches().means = plain_means
        found.app.exposure_searches().shield = lambda _secrets, _spellings: None
        yield found


def finished(house: House, incident: str, wanted: Wanted, account: str = "ada") -> Running:
    """Start a search and wait for its end."""
    running = house.app.exposure_searches().start(incident, house.viewer(account), wanted)
    for thread in threading.enumerate():
        if thread.name == f"exposure-{incident}":
            thread.join(60)
    assert running.done
    return running


def searched(house: House, incident: str, secret: str, *items: str, **more: Any) -> Result:
    """Search items; the kept report."""
    running = finished(house, incident, Wanted(SecretValue(secret), items, **more))
    assert running.error is None, running.error
    found = house.app.exposure_searches().latest(house.app.states.incident(incident))
    assert found is not None
    return found


def captured_folder(house: House, incident: str, folder: Path) -> str:
    """Capture a folder as the command line does."""
    viewer = house.viewer("ada")

    class Sink:
        def put(self, stream: Any, size_hint: int | None, /) -> Any:
            from holdfast.app.ports_vault import Stored

            return Stored(*house.app.upload(incident, viewer, io.BytesIO(stream.read(1 << 30))))

        def register(self, found: Any, /) -> str:
            done = house.app.execute("evidence-add", found.as_json(), viewer, incident_id=incident)
            return str(done.result["evidence_id"])

    return Capturer(Sink(), house.clock, Collector("test", "1")).folder(folder, Labels(name=folder.name)).evidence_id


def handed_in(house: House, incident: str, report: Report = world.REPORT, account: str = "ben") -> Result:
    lines = [line.encode() for line in report.lines()]
    return house.app.exposure_searches().take(incident, house.viewer(account), lines)


def files_with(folder: Path, *needles: bytes) -> list[str]:
    """Files below a folder that hold one of these."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]
