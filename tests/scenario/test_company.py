"""Seven questions over a synthetic company's logs, each answer compared with what is known of how they were made.

First the key that an alarm named is asked about; then also the addresses that answer shows. What a careful
investigator would say stands in ``tests/company``; where an answer may say more, only acts of the attacker may be more.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from holdfast.app.investigating import Investigation, Means, Order, investigate_ingested
from holdfast.app.investigation_report import as_json
from holdfast.app.ports_investigation import Ingested, Source
from holdfast.engines.duck import DuckEngine
from holdfast.engines.ingest import ParquetIngest
from holdfast.investigation.answers import AnswerRow, Citation
from holdfast.investigation.comparing import changes
from tests.company import Answers, Company
from tests.company.booty import DEPLOY_KEY, MACHINE, OBJECTS, PLANTED, SECRETS, SNAPSHOT, TRAIL_EUW1, at
from tests.company.cast import END, FOREIGN, ORG, PROD, arn, micros
from tests.company.feed import Place
from tests.company.later import later

EVENTS, MONTHS = 80_000, 3
NAME = "company"


@dataclass
class Case:
    """A company that was written and read, and what is known of it."""

    folder: Path
    answers: Answers
    order: Order
    means: Means
    ingested: Ingested

    def ask(self, *subjects: str) -> Found:
        """Investigate what was read."""
        order = replace(self.order, subjects=subjects)
        return Found(self, investigate_ingested(order, self.means, self.folder, self.ingested))


@dataclass
class Found:
    """A finished investigation, told in the labels of the story."""

    case: Case
    run: Investigation

    def rows(self, query: str) -> list[AnswerRow]:
        """The rows of one query."""
        return [row for answer in self.run.answers.values() for row in answer.rows if row.finding == query]

    def labels(self, row: AnswerRow) -> list[str]:
        """What a row rests on: label of each act, or a dash for a record that is none of the story's."""
        by_uid = {act.uid: act.label for act in self.case.answers.acts.values()}
        cited = [one for one in (row.citation, *row.also) if one is not None]
        return [by_uid.get(one.event_id or "", "-") for one in cited]

    def told(self, query: str) -> set[str]:
        """Labels of everything the rows of a query rest on."""
        return {label for row in self.rows(query) for label in self.labels(row)}

    def leading(self, query: str) -> list[str]:
        """First label of each row of a query, as long as it is an act of the attacker."""
        found = []
        for row in self.rows(query):
            label = self.labels(row)[0]
            if self.side(label) != "attacker":
                break
            found.append(label)
        return found

    def side(self, label: str) -> str:
        """Whose act it is; a dash for everyday records."""
        return self.case.answers.acts[label].side if label != "-" else "-"

    def labelled(self, uids: Iterable[str]) -> set[str]:
        """Labels of acts by their event ids."""
        wanted = set(uids)
        return {act.label for act in self.case.answers.acts.values() if act.uid in wanted}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A company of three months, written and read once."""
    folder = tmp_path_factory.mktemp("company")
    answers = Company(1, EVENTS, MONTHS).write(folder / "given")
    work = folder / "work"
    work.mkdir()
    order = Order(
        sources=(Source(folder / "given", NAME),),
        from_us=micros(at("00:00:00", -7)),
        to_us=micros(END),
        responders=answers.responders,
    )
    means = Means(ParquetIngest(lambda: micros(END), workers=0), DuckEngine)
    return Case(work, answers, order, means, means.ingest(order.sources, work, None))


@pytest.fixture(scope="module")
def by_key(case: Case) -> Iterator[Found]:
    """The investigation of the key that the alarm named."""
    found = case.ask(case.answers.subject)
    yield found
    found.run.close()


@pytest.fixture(scope="module")
def whole(case: Case) -> Iterator[Found]:
    """The investigation of the key and the addresses it led to."""
    found = case.ask(case.answers.subject, *case.answers.addresses)
    yield found
    found.run.close()


@pytest.fixture(scope="module")
def unasked(case: Case) -> Iterator[Found]:
    """The investigation of whoever acted suspiciously."""
    found = case.ask()
    yield found
    found.run.close()


def instant(text: str) -> int:
    """Microseconds of an instant as cells tell it, to the second."""
    return micros(datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0))


# -- reading


def test_every_record_is_counted_as_it_was_made(case: Case, by_key: Found) -> None:
    known = case.answers.inputs
    assert by_key.run.totals() == {
        "records": known.records,
        "rows": known.rows,
        "duplicates": known.duplicates,
        "quarantined": known.quarantined,
    }
    told = by_key.run.engine.rows("SELECT source, count(*) AS n FROM activity GROUP BY source ORDER BY source")
    assert {row["source"]: row["n"] for row in told} == dict(known.by_source)


def test_what_could_not_be_read_is_named_file_by_file(case: Case) -> None:
    named = {one["path"].removeprefix(f"{NAME}/") for one in case.ingested.inputs if one["quarantined"]}
    stray = {"notes/handover.txt", "notes/screen.bin", "notes/terraform.tfstate"}
    assert named == stray | set(case.answers.refused)


def test_every_citation_leads_to_its_record(case: Case, whole: Found) -> None:
    known = case.answers.places
    cited = [one for answer in whole.run.answers.values() for row in answer.rows for one in (row.citation, *row.also)]
    story = {act.uid for act in case.answers.acts.values()}
    checked = [one for one in cited if one is not None and one.event_id in story]
    assert len(checked) > 100
    for one in checked:
        assert known[Place(one.file.removeprefix(f"{NAME}/"), one.record)] == one.event_id
    assert _record(case, next(one for one in checked if one.file.endswith(".json.gz")))


def _record(case: Case, one: Citation) -> bool:
    data = (case.folder.parent / "given" / one.file.removeprefix(f"{NAME}/")).read_bytes()
    return bool(orjson.loads(gzip.decompress(data))["Records"][one.record]["eventID"] == one.event_id)


# -- I1 what changed


@pytest.mark.parametrize("part", ["deployments", "infrastructure", "access_grants"])
def test_the_attackers_changes_lead_each_part(by_key: Found, part: str) -> None:
    known = by_key.labelled(by_key.case.answers.changes(part))
    leading = set(by_key.leading(f"i1_{part}"))
    assert known - leading == set()


def test_a_change_by_a_vendor_is_told_and_is_the_only_one(by_key: Found) -> None:
    assert by_key.told("i1_vendor_changes") == {"vendor"}


# -- I2 which identities


def test_every_identity_the_attacker_used_is_under_suspicion_with_its_acts_counted(whole: Found) -> None:
    known = whole.case.answers.identities()
    told = {row.cells["actor_uid"]: row.cells["suspect_events"] for row in whole.rows("i2_suspects")}
    assert told == {actor: one.acts for actor, one in known.items()}


def test_new_addresses_of_known_identities_are_the_attackers(by_key: Found) -> None:
    known = by_key.case.answers.identities()
    addresses = by_key.case.answers.addresses
    told = {}
    for row in by_key.rows("i2_new_addresses"):
        if row.cells["new_address"] in addresses:
            key = (row.cells["actor_uid"], row.cells["new_address"])
            told[key] = (row.cells["events"], instant(row.cells["first_at"]), instant(row.cells["last_at"]))
    new = {row.cells["actor_uid"] for row in by_key.rows("i2_first_time")}
    expected: dict[tuple[str, str], tuple[int, int, int]] = {}
    for act in by_key.case.answers.by("attacker").values():
        if act.ip in addresses and act.actor not in new:
            number, first, last = expected.get((act.actor, act.ip), (0, act.clock, act.clock))
            expected[act.actor, act.ip] = (number + 1, min(first, act.clock), max(last, act.clock))
    assert told == expected
    assert new & set(known) == {
        arn(PROD, "role", "platform-admin"),
        arn(PROD, "user", PLANTED),
        arn(PROD, "assumed-role", "platform-admin/cleanup", "sts"),
        f"deploy_key:{DEPLOY_KEY}",
    }


def test_the_chain_of_sessions_goes_back_to_the_job_and_its_person(whole: Found) -> None:
    admin = next(row for row in whole.rows("i2_suspects") if row.cells["actor_uid"].endswith("role/platform-admin"))
    chain = admin.what
    assert "repo:larkfield/shop:ref:refs/heads/main → role/gha-build → role/deploy → role/platform-admin" in chain
    [login] = [one.actor for one in whole.case.answers.acts.values() if one.label == "pat"]
    assert login in chain


def test_each_kind_of_identity_is_told_apart(by_key: Found) -> None:
    assert {row.cells["actor_uid"] for row in by_key.rows("i2_deploy_keys")} == {f"deploy_key:{DEPLOY_KEY}"}
    assert {row.cells["actor_uid"] for row in by_key.rows("i2_break_glass")} == {arn(PROD, "user", "break-glass-1")}


def test_both_accounts_of_a_person_are_one_person(by_key: Found) -> None:
    told = by_key.run.engine.rows("SELECT actor_uid, person_uid FROM people WHERE actor_type = 'human'")
    people = {row["actor_uid"]: row["person_uid"] for row in told}
    cast = Company(1, EVENTS, MONTHS).cast
    seen = [person for person in cast.people if person.github and person.login in people]
    assert len(seen) > 10
    assert {person.login: people[person.login] for person in seen} == {person.login: person.email for person in seen}


# -- I3 who trusts it


def test_what_the_key_leads_to_is_exact(by_key: Found) -> None:
    assert {row.cells["uid"] for row in by_key.rows("i3_reach")} == by_key.case.answers.reach


def test_the_way_to_the_key_is_told_step_by_step_and_nothing_beside_it(by_key: Found) -> None:
    told = {(row.cells["from_uid"], row.cells["to_uid"]) for row in by_key.rows("i3_edges")}
    assert set(by_key.case.answers.path) - told == set()
    strangers = (FOREIGN, "vendor-readonly", "irsa-", "gha-terraform", "svc-backup")
    assert [pair for pair in told if any(name in f"{pair}" for name in strangers)] == []


# -- I4 what could it do, and what did it


def test_what_was_taken_is_exact_by_data_set(whole: Found) -> None:
    told = {row.cells["data_set"]: row.cells["events"] for row in whole.rows("i4_export")}
    again = {"billing/ledger", "shop/payment-gateway", "shop/search"}
    known = {f"secret:{name}": 2 if name in again else 1 for name in SECRETS}
    known |= {f"{ORG}/{repo}": 1 for repo in ("billing", "infra", "platform")} | {f"{ORG}/shop": 2}
    known |= {"larkfield-customer-exports": len(OBJECTS), SNAPSHOT: 1, "secrets": 1}
    assert {_secret(name): number for name, number in told.items()} == known


def _secret(name: str) -> str:
    """A secret without account and the six characters at the end of its ARN."""
    return f"secret:{name.partition(':secret:')[2][:-7]}" if ":secret:" in name else name


def test_what_was_read_in_the_cluster_is_told(whole: Found) -> None:
    told = {row.cells["data_set"] for row in whole.rows("i4_read") if row.cells["source"] == "k8s.audit"}
    assert told == {"shop/checkout-db", "billing/ledger-db", "argocd/repo-credentials"}


def test_what_was_refused_is_exact(whole: Found) -> None:
    assert whole.told("i4_refused") == whole.labelled(whole.case.answers.denied())


def test_what_the_policies_allow_is_exact(by_key: Found) -> None:
    told = {
        (row.cells["holder_uid"], action, resource)
        for row in by_key.rows("i4_could")
        if row.cells["verdict"] == "allowed"
        for action in row.cells["actions"].split(", ")
        for resource in row.cells["resources"].split(", ")
    }
    assert told == by_key.case.answers.could


def test_reads_that_nobody_recorded_are_said_to_be_unknown(whole: Found) -> None:
    told = {row.cells.get("account_uid") for row in whole.rows("i4_unrecorded")}
    assert {hole.account for hole in whole.case.answers.holes if hole.event_class == "data"} <= told | {PROD}


@pytest.mark.parametrize("query", ["i4_export", "i4_changed", "i4_read", "i4_refused"])
def test_the_responders_acts_are_not_the_attackers(whole: Found, query: str) -> None:
    assert [label for label in whole.told(query) if whole.side(label) != "attacker"] == []


# -- I5 has it stayed, spread, come back


def test_undone_containment_stands_first_in_the_answer(whole: Found) -> None:
    assert whole.told("i5_undone") == {"undo"}
    assert whole.labels(whole.run.answers["I5"].rows[0]) == ["undo"]


def test_every_foothold_leads_and_no_harmless_one_stands_before_it(whole: Found) -> None:
    known = whole.labelled(whole.case.answers.staying("persistence"))
    assert known - set(whole.leading("i5_persistence")) == set()


def test_cutting_the_records_is_told(whole: Found) -> None:
    assert whole.told("i5_blinded") == {"stop", "delete-run"}


def test_new_credentials_are_followed_to_their_first_use(whole: Found) -> None:
    told = {tuple(whole.labels(row)) for row in whole.rows("i5_new_credential_used")}
    assert told == {("pat", "clone/shop"), ("profile", "console"), ("key2", "whoami-4"), ("key", "whoami-3")}


def test_ways_onward_are_told(whole: Found) -> None:
    onward = {label.partition("/")[0] for label in whole.leading("i5_across_accounts")}
    assert onward == {"hop-deploy", "denied-hop"}
    assert {tuple(whole.labels(row)) for row in whole.rows("i5_shared_copies")} == {("share", "copied")}
    [workflow] = whole.rows("i5_workflow_then_secrets")
    assert whole.labels(workflow) == ["override", "run/prepared_workflow_job"]


def test_returns_after_the_first_night_are_told_and_nothing_else(whole: Found) -> None:
    told = {whole.labels(row)[0] for row in whole.rows("i5_returned")}
    assert told == {"whoami-4", "again/billing/ledger", "key-clone"}


# -- I6 completeness


def test_every_hole_in_the_logs_is_named_with_its_hours(whole: Found) -> None:
    window = micros(at("00:00:00", -7)) // HOUR, micros(END) // HOUR - 1
    told = {
        (
            row.cells["source"],
            row.cells["account_uid"],
            row.cells.get("region") or "",
            row.cells["event_class"],
            row.cells["grade"],
            *_within(window, instant(row.cells["from_at"]) // HOUR, instant(row.cells["to_at"]) // HOUR - 1),
        )
        for row in whole.rows("i6_holes")
        if row.cells["source"] == "aws.cloudtrail"
    }
    known = {
        (
            *(one.source, one.account, one.region, one.event_class, one.grade),
            *_within(window, one.from_hour, one.to_hour),
        )
        for one in whole.case.answers.holes
    }
    assert told == known


HOUR = 3_600_000_000


def _within(window: tuple[int, int], first: int, last: int) -> tuple[int, int]:
    """The hours that lie in the window; all of them when none does."""
    cut = max(first, window[0]), min(last, window[1])
    return cut if cut[0] <= cut[1] else (first, last)


def test_a_damaged_line_takes_its_hours_out_of_what_can_be_told(whole: Found) -> None:
    told = [row for row in whole.rows("i6_holes") if row.cells["source"] == "github.audit"]
    assert {row.cells["grade"] for row in told} == {"cannot_tell"}
    assert {row.cells["from_at"][:10] for row in told} == {"2026-08-20"}


# -- I7 still open


def test_what_was_left_open_is_exact(whole: Found) -> None:
    told = {(row.cells["kind"], row.cells["uid"]) for row in whole.rows("i7_open") if row.cells["kind"] in OPEN}
    assert told == {
        ("user", PLANTED),
        ("access key", Company(1, EVENTS, MONTHS).story[1].key2),
        ("attached policy", f"{PLANTED} arn:aws:iam::aws:policy/AdministratorAccess"),
        ("changed trust of role", "vendor-readonly"),
        ("deploy key", f"{ORG}/shop {DEPLOY_KEY}"),
        ("secret with a token that never expires", "kube-system/metrics-token"),
    }
    assert len(told) == len(whole.case.answers.open_items())
    assert {row.cells["kind"] for row in whole.rows("i7_open")} - OPEN <= {"access key in use"}


OPEN = {
    "user",
    "access key",
    "attached policy",
    "changed trust of role",
    "deploy key",
    "secret with a token that never expires",
}


def test_what_was_undone_is_exact(whole: Found) -> None:
    told = {(row.cells["kind"], row.cells["uid"]) for row in whole.rows("i7_removed")}
    story = Company(1, EVENTS, MONTHS).story[1]
    [token] = [name for kind, name in whole.case.answers.closed_items() if kind == "token"]
    assert told - {("access key in use", story.key)} == {
        ("access key", story.key),
        ("personal access token", f"token:{token}"),
        ("snapshot share", f"{SNAPSHOT} {FOREIGN}"),
        ("role binding", "metrics-reader-2"),
        ("stopped trail", TRAIL_EUW1),
        ("console password", MACHINE),
        ("enrolled factor", story.mara.email),
    }
    assert len(told) - 1 == len(whole.case.answers.closed_items())


# -- without a hint, and again


def test_without_a_subject_the_leads_find_the_attack_and_little_else(unasked: Found) -> None:
    rows = unasked.run.engine.rows(
        "SELECT DISTINCT a.event_uid FROM signals AS s JOIN activity AS a ON a.row_id = s.row_id WHERE s.lead"
    )
    told = {row["event_uid"] for row in rows}
    answers = unasked.case.answers
    attack = {act.uid for act in answers.by("attacker").values()}
    wanted = (
        answers.staying("persistence") | answers.staying("undo") | answers.uids(("stop", "share", "console", "k-list"))
    )
    assert unasked.labelled(wanted - told) == set()
    assert len(told - attack) * 1000 < answers.inputs.rows


def test_a_later_capture_shows_what_changed(case: Case, whole: Found, tmp_path: Path) -> None:
    """The responders find the planted user: its key, its policy and itself go, and a new file tells of it."""
    given, work = tmp_path / "given", tmp_path / "work"
    work.mkdir()
    for path, data in later(Company(1, EVENTS, MONTHS)):
        (given / path).parent.mkdir(parents=True, exist_ok=True)
        (given / path).write_bytes(data)
    sources = (*case.order.sources, Source(given, "later"))
    order = replace(case.order, sources=sources, to_us=None, subjects=(case.answers.subject, *case.answers.addresses))
    again = investigate_ingested(order, case.means, work, case.means.ingest(sources, work, None))
    try:
        told = changes(as_json(whole.run), as_json(again))
    finally:
        again.close()
    assert told["inputs"] == {"records": 3, "rows": 3, "duplicates": 0, "quarantined": 0}
    gone = {row["kind"] for row in told["answers"]["I7"]["gone_rows"]["first"] if row["finding"] == "i7_open"}
    assert {"user", "access key", "attached policy"} <= gone
    new = {row["kind"] for row in told["answers"]["I7"]["new_rows"]["first"] if row["finding"] == "i7_removed"}
    assert {"user", "access key", "attached policy"} <= new


def test_a_company_is_made_of_its_seed_and_nothing_else(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        Company(seed, 4_000, 0.1).write(tmp_path / name)

    def contents(name: str) -> dict[str, bytes]:
        top = tmp_path / name
        return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}

    assert contents("one") == contents("two")
    assert contents("one") != contents("three")
