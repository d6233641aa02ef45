"""The labelled data beside the project, read by the product itself: which rows of it become signals and leads.

Rules:
1. The program's name (user agent) is blanked in every record before anything is read: the labels of some sets were
   made from it, so an answer that reads it proves nothing.
2. Nothing is tuned to a single event; a verdict on single events has no context, and says so.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.app.investigating import Means, Order, investigate
from holdfast.app.ports_investigation import Source
from holdfast.engines.duck import DuckEngine
from holdfast.engines.ingest import ParquetIngest
from holdfast.investigation.readers import shipped
from holdfast.investigation.reading import Mapped

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LEAD = 60
"""Points from which an event is a lead by its own record, without context (``scoring.toml``)."""

Row = Mapping[str, Any]


def blanked(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without what a program calls itself."""
    if isinstance(value, dict):
        return {key: "" if key.lower().replace("_", "") == "useragent" else blanked(one) for key, one in value.items()}
    return [blanked(one) for one in value] if isinstance(value, list) else value


@dataclass
class Seen:
    """What the product makes of some records."""

    rows: list[dict[str, Any]]
    """Activity: row_id, event_uid, operation, status, src_file, src_ord."""
    signals: list[dict[str, Any]]
    noted: list[dict[str, Any]]
    answers: Mapping[str, Any]
    inputs: Sequence[Row]

    @property
    def leads(self) -> set[int]:
        """Rows that are leads."""
        return {one["row_id"] for one in self.signals if one["lead"]}


@contextmanager
def written(files: Mapping[str, Any]) -> Iterator[Path]:
    """Records as files of a folder that is gone afterwards: a list becomes a CloudTrail file or lines of JSON."""
    with tempfile.TemporaryDirectory(prefix="holdfast-truth-") as name:
        for file, content in files.items():
            Path(name, file).write_text(content, encoding="utf-8")
        yield Path(name)


def trail(records: Sequence[Any]) -> str:
    """Records as a CloudTrail file."""
    return json.dumps({"Records": blanked(list(records))})


def lines(records: Sequence[Any]) -> str:
    """Records as lines of JSON."""
    return "\n".join(json.dumps(blanked(one)) for one in records)


def seen(files: Mapping[str, str], mapped: Mapped | None = None) -> Seen:
    """Investigate files with every reader switched on, and one made from a mapping if there is one."""
    keys = frozenset(reader.key for reader in shipped())
    with written(files) as folder, tempfile.TemporaryDirectory(prefix="holdfast-truth-") as work:
        ingest = ParquetIngest(clock_us=lambda: 0, workers=0, unproven=keys, mapping=mapped)
        means = Means(ingest, DuckEngine)
        found = investigate(Order((Source(folder, "truth"),), rows=20_000), means, Path(work, "in"))
        try:
            return Seen(
                found.engine.rows("SELECT row_id, event_uid, operation, status, src_file, src_ord FROM activity"),
                found.engine.rows("SELECT * FROM signals ORDER BY score DESC, row_id, catalogue_id"),
                found.engine.rows("SELECT row_id, base, category, catalogue_id FROM noted"),
                found.answers,
                found.ingested.inputs,
            )
        finally:
            found.close()


@dataclass(frozen=True)
class Score:
    """How far one answer agrees with labels."""

    hits: int
    false: int
    wanted: int
    benign: int

    @property
    def precision(self) -> float:
        """Share of what was named that was right; 1 when nothing was named."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0

    @property
    def recall(self) -> float:
        """Share of what was wanted that was named."""
        return self.hits / self.wanted if self.wanted else 1.0

    @property
    def false_per_thousand(self) -> float:
        """False ones per thousand that are benign."""
        return 1000 * self.false / self.benign if self.benign else 0.0


@dataclass
class Invictus:
    """The laboratory account: attack techniques, their set-up and clean-up, and two people."""

    events: Score
    """Leads against labels, event by event."""
    rows: Score
    """Rows of I1 and I5 that are leads, against the label of the record they cite."""
    techniques: dict[str, int | None]
    """Operations of the detonation that do or ask something of their own, with the best place among the leads."""
    missed: dict[str, int] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)


REVERTS = frozenset({"StartLogging", "RevokeSecurityGroupIngress", "RemovePermission20150331v2"})
"""Operations by which the tool takes its own attack back."""
AROUND = frozenset({
    "DescribeAccountAttributes", "DescribeInstanceInformation", "GetCommandInvocation", "GetCallerIdentity",
    "DescribeParameters", "ListSecrets", "ListAccessKeys", "ListProfiles", "ListTrustAnchors",
})  # fmt: skip
"""Questions the tool asks to find its way, which everybody asks."""


def invictus() -> Invictus:
    """Score the laboratory account."""
    home = DATA / "invictus_aws"
    told = [json.loads(line) for line in (home / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    labels = {one["eventID"]: one["label"] for one in told}
    files = {path.name: trail(json.loads(path.read_text())["Records"]) for path in sorted(home.rglob("*.json"))}
    found = seen(files)
    attack = {row["row_id"]: row for row in found.rows if labels[row["event_uid"]] == "detonation"}
    places = _places(found)
    named = {row["operation"] for row in attack.values()} - REVERTS - AROUND
    named = {name for name in named if not name.startswith("Delete") or name in {"DeleteTrail", "DeleteFlowLogs"}}
    named -= {"DetachUserPolicy"}
    benign = len(found.rows) - len(attack)
    result = Invictus(
        Score(len(found.leads & set(attack)), len(found.leads - set(attack)), len(attack), benign),
        _answer_rows(found, {row["event_uid"] for row in attack.values()}, benign),
        {name: min((places[row] for row in attack if attack[row]["operation"] == name and row in places), default=None)
         for name in sorted(named)},
    )  # fmt: skip
    for row in sorted(set(attack) - found.leads):
        name = attack[row]["operation"]
        result.missed[name] = result.missed.get(name, 0) + 1
    by_id = {row["row_id"]: row for row in found.rows}
    for one in found.signals:
        if one["lead"] and one["row_id"] not in attack:
            label = labels[by_id[one["row_id"]]["event_uid"]]
            result.false.append(f"{by_id[one['row_id']]['operation']} ({label}): {one['reasons']}")
    return result


def _places(found: Seen) -> dict[int, int]:
    """Each lead's place among the kinds of leads, best first: equal operations of one score are one place."""
    kinds: list[tuple[str, int]] = []
    places: dict[int, int] = {}
    for one in found.signals:
        if not one["lead"]:
            continue
        kind = (str(one["operation"]), one["score"])
        if kind not in kinds:
            kinds.append(kind)
        places.setdefault(one["row_id"], kinds.index(kind) + 1)
    return places


def _answer_rows(found: Seen, attack: set[str], benign: int) -> Score:
    cited = [
        (row.citation.event_id in attack)
        for question in ("I1", "I5")
        for row in found.answers[question].rows
        if row.cells.get("lead") and row.citation is not None
    ]
    return Score(sum(cited), len(cited) - sum(cited), sum(cited), benign)


CATEGORIES: Mapping[str, frozenset[str]] = {
    "credential-access": frozenset({"data_shared_outside"}),
    "defense-evasion": frozenset({"logging_disabled"}),
    "discovery": frozenset({"data_shared_outside", "discovery", "refused_burst", "session_or_impersonation"}),
    "execution": frozenset({"execution_persistence"}),
    "exfiltration": frozenset({"snapshot_image_shared", "data_shared_outside"}),
    "impact": frozenset({"privilege_granted", "recovery_denied", "execution_persistence"}),
    "lateral-movement": frozenset({"session_or_impersonation"}),
    "persistence": frozenset({
        "identity_created", "credential_created", "privilege_granted", "federation_trust", "execution_persistence",
    }),
}  # fmt: skip
"""Tactic in a technique's name to the categories that say the same."""


def stratus() -> dict[str, tuple[int, bool]]:
    """Each technique's file for itself: number of leads, and whether one is of the tactic's category."""
    result = {}
    for path in sorted((DATA / "stratus_detonation").glob("aws.*.json")):
        found = seen({path.name: trail(json.loads(path.read_text(encoding="utf-8")))})
        wanted = CATEGORIES[path.stem.split(".")[1]]
        leads = [one for one in found.signals if one["lead"]]
        result[path.stem] = (len(leads), any(one["category"] in wanted for one in leads))
    return result


def console() -> dict[str, tuple[int, list[str]]]:
    """Each session of human clicks: events, and the leads among them, all of them false."""
    result = {}
    for path in sorted((DATA / "console_sessions").glob("*/InputEvents.json")):
        found = seen({"session.json": trail(json.loads(path.read_text(encoding="utf-8")))})
        leads = [f"{one['operation']}: {one['reasons']}" for one in found.signals if one["lead"]]
        result[path.parent.name] = (len(found.rows), leads)
    return result


def traildiscover() -> tuple[int, int, int]:
    """Sample events of operations known from abuse, each for itself: how many, how many signals, how many leads."""
    total = signals = leads = 0
    records = [
        record
        for path in sorted((DATA / "traildiscover" / "logExamples").iterdir())
        for record in _records(path)
    ]  # fmt: skip
    found = seen({"examples.json": trail(records)})
    best = {one["row_id"]: one["base"] for one in found.noted}
    for row in found.rows:
        total += 1
        signals += row["row_id"] in best
        leads += best.get(row["row_id"], 0) >= LEAD
    return total, signals, leads


def _records(path: Path) -> list[Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return []
    found = found.get("Records", [found]) if isinstance(found, dict) else found
    return [one for one in found if isinstance(one, dict) and "eventName" in one]


VERDICTS = ("cloudtrail", "github", "okta", "gsuite", "k8s_eks", "azure_entra", "gcp_auditlog")


@dataclass(frozen=True)
class Verdicts:
    """Single events with a rule's verdict."""

    events: int
    unread: int
    signal: Score
    lead: Score


def panther(name: str) -> Verdicts:
    """One file of single-event verdicts, without those that depend on a mocked look-up."""
    text = (DATA / "panther_tests" / f"{name}.jsonl").read_text(encoding="utf-8")
    tests = [one for one in map(json.loads, text.splitlines()) if not one["uses_mocks"]]
    files = {f"{number:04}.json": lines([one["event"]]) for number, one in enumerate(tests)}
    found = seen(files)
    base: dict[str, int] = {}
    rows = {row["row_id"]: row["src_file"].rpartition("/")[2] for row in found.rows}
    for one in found.noted:
        file = rows.get(one["row_id"])
        if file is not None:
            base[file] = max(base.get(file, 0), one["base"])
    read = set(rows.values())
    verdicts = [(one["expected"], base.get(file, 0)) for file, one in zip(files, tests, strict=True) if file in read]
    return Verdicts(len(tests), len(tests) - len(verdicts), _score(verdicts, 1), _score(verdicts, LEAD))


def _score(verdicts: Sequence[tuple[bool, int]], least: int) -> Score:
    hits = sum(1 for expected, base in verdicts if expected and base >= least)
    false = sum(1 for expected, base in verdicts if not expected and base >= least)
    wanted = sum(1 for expected, _ in verdicts if expected)
    return Score(hits, false, wanted, len(verdicts) - wanted)


def golden_saml() -> list[dict[str, Any]]:
    """Signals over the Entra and Office records of the golden SAML scenario."""
    home = DATA / "otrf" / "golden_saml"
    names = ("AADAuditEvents.ndjson", "OfficeActivityEvents.ndjson")
    found = seen({name: (home / name).read_text(encoding="utf-8") for name in names})
    return found.signals


def honey_bucket() -> tuple[int, int]:
    """Rows of the honey bucket's log as a person would map them, and how many become signals."""
    columns = {
        "time_us": "Event DateTime",
        "operation": "Event Name",
        "service": "=s3",
        "actor_type": "=anonymous",
        "src_ip": "Source IP",
        "event_uid": "Event ID",
    }
    text = (DATA / "otrf" / "AWS_S3_HoneyBucketLogs.csv").read_text(encoding="utf-8")
    found = seen({"honey.csv": text}, Mapped("aws.cloudtrail", columns))
    return len(found.rows), len({one["row_id"] for one in found.signals})
