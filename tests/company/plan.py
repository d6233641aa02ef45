"""What happens on an ordinary day, decided once and told by several sources: who works, which jobs run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from tests.company.aws import OIDC, Call, Role, Who, by_web_identity, subject
from tests.company.cast import CI_ROLES, END, OFFICE, PROD, REPOS, RUNNERS, STAGING, TOOLS, Cast, Person
from tests.company.feed import OFFICE_HOURS, Chance, working

RUNNER_AGENT = (
    "aws-sdk-js/3.901.0 ua/2.1 os/linux#6.11.0 lang/js md/nodejs#20.19.5 configure-aws-credentials-for-github-actions"
)


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's working day."""

    person: Person
    begun: datetime
    ip: str
    session: str
    """Okta's session id."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workflow."""

    id: int
    repo: str
    workflow: str
    event: str
    actor: Person
    at: datetime
    lasts: int
    """Seconds."""
    runner: str
    secrets: tuple[str, ...]
    sha: str
    ok: bool = True

    @property
    def path(self) -> str:
        return f".github/workflows/{self.workflow}.yml"


AWAY = {"Mara Lind": END - timedelta(days=4), "Vera Quast": None}
"""Mara is suspended on the day of the attack; Vera is hired shortly before it."""
HIRED = END - timedelta(days=5)


@lru_cache(maxsize=8)
def shifts(cast: Cast, day: datetime) -> tuple[Shift, ...]:
    """Who works that day, and from where."""
    chance = Chance(cast.digest("shifts", day))
    made = []
    for person in cast.people:
        free, home, minute = chance.odds(0.08), chance.odds(0.3), chance.one(110)
        on_call = person.team == "ops" and person.number % 6 == day.isocalendar().week % 6
        if (not working(day) and not on_call) or free or _absent(person, day):
            continue
        made.append(shift(cast, person, day + timedelta(hours=6, minutes=minute), person.home if home else OFFICE))
    return tuple(made)


def shift(cast: Cast, person: Person, begun: datetime, ip: str) -> Shift:
    """A working day with its session."""
    return Shift(person, begun, ip, "102" + cast.token(22, "okta session", person.email, begun))


def _absent(person: Person, day: datetime) -> bool:
    if person.name == "Vera Quast":
        return day <= HIRED
    if person.name == "Mara Lind":
        return day >= END - timedelta(days=5)
    return False


@lru_cache(maxsize=8)
def runs(cast: Cast, day: datetime, often: float) -> tuple[Run, ...]:
    """Runs of the day: pushes to the repositories in office hours, a nightly one for each."""
    chance = Chance(cast.digest("runs", day))
    developers = [person for person in cast.people if person.team in {"dev", "ops"} and not _absent(person, day)]
    made = [
        _run(cast, chance, repo, "nightly", developers[0], day + timedelta(hours=1, minutes=5)) for repo in ("shop",)
    ]
    if working(day):
        for at in chance.moments(day, OFFICE_HOURS, 4 + chance.many(often)):
            repo = REPOS[chance.one(len(REPOS))]
            who = developers[chance.one(len(developers))]
            made.append(_run(cast, chance, repo, "deploy", who, datetime.fromtimestamp(at, tz=day.tzinfo)))
    return tuple(sorted(made, key=lambda run: (run.at, run.id)))


SECRETS = {
    "shop": ("NPM_TOKEN", "SENTRY_DSN"),
    "billing": ("BILLING_API_KEY",),
    "mobile": ("SIGNING_KEY",),
}


def _run(cast: Cast, chance: Chance, repo: str, workflow: str, actor: Person, at: datetime) -> Run:
    number = 7_000_000_000 + cast.number(1_000_000_000, "run", repo, workflow, at)
    return Run(
        id=number,
        repo=repo,
        workflow=workflow,
        event="schedule" if workflow == "nightly" else "push",
        actor=actor,
        at=at,
        lasts=90 + chance.one(400),
        runner=RUNNERS[chance.one(len(RUNNERS))],
        secrets=SECRETS.get(repo, ()),
        sha=cast.digest("sha", number).hex()[:40],
        ok=not chance.odds(0.06),
    )


def ci_role(cast: Cast, run: Run) -> Role | None:
    """The role session of a run whose workflow takes one."""
    for repo, account, role in CI_ROLES:
        if repo == run.repo:
            begun = run.at + timedelta(seconds=40)
            return Role(account, role, "GitHubActions", cast.key("run", run.id), begun, _federated(account))
    return None


def ci_assumption(cast: Cast, run: Run, role: Role) -> tuple[Who, Call]:
    """The call by which a run takes its role."""
    return by_web_identity(cast, role, OIDC, subject(run.repo), run.runner, RUNNER_AGENT)


def _federated(account: str) -> dict[str, object]:
    return {"federatedProvider": f"arn:aws:iam::{account}:oidc-provider/{OIDC}", "attributes": {}}


HOME_ROLES = {
    "dev": ((STAGING, "Developer"), (TOOLS, "Developer")),
    "ops": ((PROD, "Operator"), (STAGING, "Operator")),
    "security": ((PROD, "SecurityAudit"),),
}
"""Roles a team takes by Okta on a working day."""


@lru_cache(maxsize=8)
def human_roles(cast: Cast, day: datetime) -> tuple[tuple[Shift, Role], ...]:
    """Role sessions of people that day."""
    return tuple(_human_roles(cast, day))


def _human_roles(cast: Cast, day: datetime) -> Iterator[tuple[Shift, Role]]:
    for found in shifts(cast, day):
        chance = Chance(cast.digest("roles", day, found.person.email))
        for at, (account, role) in enumerate(HOME_ROLES.get(found.person.team, ())):
            if chance.odds(0.35):
                begun = found.begun + timedelta(minutes=15 + chance.one(300))
                key = cast.key("human", found.person.email, day, at)
                yield found, Role(account, role, found.person.email, key, begun)
