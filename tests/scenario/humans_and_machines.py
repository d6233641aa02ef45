"""Sessions of people and of programs, from real logs, with the label told by what the classifier does not read.

People: 17 recorded console sessions, and the console sessions of two people in the laboratory account (known by
``sessionCredentialFromConsole``). Programs: everything there that named Terraform, Stratus Red Team or an SDK. The
program's name is blanked before anything is classified.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.engines.duck import DuckEngine
from holdfast.investigation.activity import ACTIVITY
from holdfast.investigation.queries import stages
from holdfast.investigation.readers import shipped

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CONSOLE, LABORATORY = DATA / "console_sessions", DATA / "invictus_aws" / "CloudTrail"
PIECE_US = 600 * 1_000_000
"""Sessions are also cut into pieces of ten minutes, which are harder: there are few of each kind of whole ones."""
_BLANKED = ("user_agent", "actor_type", "request", "response", "detail")
FEWEST = 10
"""Acts of the smallest piece that is judged."""
_PROGRAMS = ("Terraform", "stratus-red-team", "Boto3", "aws-sdk-go", "aws-cli")

Record = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """One record with the session it belongs to and who is behind it."""

    unit: str
    human: bool
    record: Record


@dataclass(frozen=True)
class Verdicts:
    """How many were called what."""

    right: int
    """People called people."""
    wrong: int
    """Programs called people."""
    missed: int
    """People called programs."""
    machines: int
    """Programs called programs."""
    unclear_humans: int
    unclear_machines: int

    @property
    def precision(self) -> float:
        """Of what was called a person, how much was one."""
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        """Of all people, how many were called so; unclear ones count as not called."""
        return self.right / max(self.right + self.missed + self.unclear_humans, 1)

    @property
    def machine_precision(self) -> float:
        """The same for programs."""
        return self.machines / max(self.machines + self.missed, 1)

    @property
    def machine_recall(self) -> float:
        """The same for programs."""
        return self.machines / max(self.machines + self.wrong + self.unclear_machines, 1)

    def line(self, what: str) -> str:
        """One line to print."""
        return (
            f"{what}: people {self.right} right, {self.missed} called programs, {self.unclear_humans} unclear "
            f"(precision {self.precision:.3f}, recall {self.recall:.3f}); programs {self.machines} right, "
            f"{self.wrong} called people, {self.unclear_machines} unclear "
            f"(precision {self.machine_precision:.3f}, recall {self.machine_recall:.3f})"
        )


def acts() -> Iterator[Act]:
    """Every labelled act."""
    for folder in sorted(path for path in CONSOLE.iterdir() if path.is_dir()):
        for record in json.loads((folder / "InputEvents.json").read_text(encoding="utf-8")):
            yield Act(f"console {folder.name}", human=True, record=record)
    for path in sorted(LABORATORY.glob("*.json")):
        for record in json.loads(path.read_text(encoding="utf-8"))["Records"]:
            found = _labelled(record)
            if found is not None:
                yield found


def _labelled(record: Record) -> Act | None:
    told = record.get("userIdentity") or {}
    arn, key, agent = told.get("arn") or "", told.get("accessKeyId") or "", record.get("userAgent") or ""
    if not arn or told.get("invokedBy"):
        return None
    if str(record.get("sessionCredentialFromConsole")).lower() == "true":
        return Act(f"console {arn}", human=True, record=record)
    if any(name in agent for name in _PROGRAMS):
        return Act(f"program {arn if ':assumed-role/' in arn else key}", human=False, record=record)
    return None


def judged(*, pieces: bool) -> dict[str, tuple[bool, str, Row]]:
    """Unit to whether a person is behind it, the verdict and what was measured."""
    labels: dict[str, bool] = {}
    counted: defaultdict[str, int] = defaultdict(int)
    rows: list[dict[str, Any]] = []
    reader = next(one for one in shipped() if one.key == "aws.cloudtrail")
    for number, act in enumerate(acts(), 1):
        row = reader.fields(act.record)
        unit = f"{act.unit} {row['time_us'] // PIECE_US}" if pieces else act.unit
        labels[unit] = act.human
        counted[unit] += 1
        named = {"row_id": number, "hour": row["time_us"] // 3_600_000_000, "session_uid": unit, "actor_uid": unit}
        rows.append({**row, **named, **dict.fromkeys(_BLANKED)})
    said = {row["unit"]: row for row in _rhythms(rows)}
    return {
        unit: (human, said[unit]["rhythm"], said[unit])
        for unit, human in labels.items()
        if counted[unit] >= (FEWEST if pieces else 1)
    }


def verdicts(*, pieces: bool) -> Verdicts:
    """The counts over all units."""
    found = list(judged(pieces=pieces).values())

    def count(rhythm: str, *, human: bool) -> int:
        return sum(1 for who, said, _ in found if who is human and said == rhythm)

    return Verdicts(
        right=count("human", human=True),
        wrong=count("human", human=False),
        missed=count("automated", human=True),
        machines=count("automated", human=False),
        unclear_humans=count("unclear", human=True),
        unclear_machines=count("unclear", human=False),
    )


def _rhythms(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    engine = DuckEngine(Path("unused"), threads=1)
    try:
        engine.define("activity", ACTIVITY, rows)
        for stage in stages():
            if stage.id in {"usage", "rhythms"}:
                engine.materialise(stage.id, stage.sql)
        return engine.rows("SELECT * FROM rhythms")
    finally:
        engine.close()
