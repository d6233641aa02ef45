"""Who and what there is: accounts, people, machine users, roles, workloads, repositories, addresses.

Every identifier comes from the seed and a name, so that two runs agree and nothing has to be kept in step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

ORG = "larkfield"
DOMAIN = "larkfield.example"
LOG, TOOLS, PROD, STAGING = "410000000001", "410000000002", "410000000003", "410000000004"
FOREIGN = "990000000009"
"""Account of the attacker, outside the organisation."""
VENDOR = "770000000005"
"""Account of a monitoring vendor, trusted long before."""
EUC1, EUW1, USE1 = "eu-central-1", "eu-west-1", "us-east-1"
CELLS: tuple[tuple[str, str], ...] = (
    (LOG, EUC1),
    (LOG, USE1),
    (TOOLS, EUC1),
    (TOOLS, USE1),
    (PROD, EUC1),
    (PROD, EUW1),
    (PROD, USE1),
    (STAGING, EUC1),
    (STAGING, USE1),
)
"""Account and region of which there are trails. Calls to IAM, STS and sign-in are told in us-east-1."""
CLUSTER = "prod-eks"
REPOS = ("shop", "billing", "platform", "infra", "mobile", "website")

OFFICE = "198.51.100.10"
RUNNERS = tuple(f"198.51.100.{number}" for number in range(128, 160))
"""Addresses of the CI's hosted runners."""
CLUSTER_EXIT = "198.51.100.70"
VENDOR_EXIT = "198.51.100.200"
A1, A2, A3 = "203.0.113.66", "203.0.113.139", "203.0.113.201"
"""Addresses of the attacker: browser, command line, console."""

END = datetime(2026, 10, 24, tzinfo=UTC)
"""The capture: nothing later is in the logs. It is a Saturday."""

_FIRST = (
    "Ada,Bela,Cato,Dina,Edo,Fenja,Gero,Hanna,Ilja,Jana,Kilian,Lotte,Mara,Nils,Orla,Pavel,Quint,Rosa,Sven,Tilda,"
    "Udo,Vera,Wim,Xenia,Yann,Zora,Anouk,Boris,Carla,Dario"
)
_LAST = (
    "Abend,Birk,Clausen,Dorn,Egli,Falk,Grau,Holm,Imhof,Jansen,Kern,Lind,Moor,Nagel,Ott,Petri,Quast,Renner,Sommer,"
    "Thal,Ulmer,Voss,Wirth,Xander,Yilmaz,Zeller,Ahlers,Brandt,Calder,Dietz"
)


_LETTERS = bytes(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[code % 32] for code in range(256))


@dataclass(frozen=True, slots=True)
class Person:
    """One employee."""

    number: int
    name: str
    team: str
    """dev, ops, security or business."""
    home: str
    """Address at home."""

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@{DOMAIN}"

    @property
    def login(self) -> str:
        """GitHub account, which does not spell the e-mail address."""
        first, last = self.name.lower().split(" ", 1)
        return f"{first[0]}{last.replace(' ', '')}-{self.number:02d}"

    @property
    def github(self) -> bool:
        return self.team != "business"


@dataclass(frozen=True)
class Cast:
    """Everyone, from a seed."""

    seed: int
    size: int = 40
    zone = UTC

    def digest(self, *names: object) -> bytes:
        """Bytes that only the seed and these names make."""
        text = "\x1f".join((str(self.seed), *map(str, names)))
        return hashlib.blake2b(text.encode(), digest_size=32).digest()

    def token(self, length: int, *names: object) -> str:
        """Capital letters and digits, as AWS and Okta make ids."""
        return self.digest(*names).translate(_LETTERS).decode()[:length]

    def uuid(self, *names: object) -> str:
        """An identifier that looks like a random UUID."""
        text = self.digest(*names).hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"

    def number(self, below: int, *names: object) -> int:
        """A whole number from 0."""
        return int.from_bytes(self.digest(*names)[:8], "big") % below

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Employees; the first seven have parts in the story."""
        named = [
            ("Mara Lind", "dev"),
            ("Ines Calder", "security"),
            ("Tobias Renner", "ops"),
            ("Pavel Thal", "ops"),
            ("Hanna Voss", "ops"),
            ("Jonas Egli", "dev"),
            ("Vera Quast", "business"),
        ]
        names = (f"{first} {last}" for last in _LAST.split(",") for first in _rotated(_FIRST.split(","), last))
        taken = {name for name, _ in named}
        teams = ("dev", "dev", "business", "dev", "ops", "business", "dev", "security")
        while len(named) < self.size:
            name = next(names)
            if name not in taken:
                taken.add(name)
                named.append((name, teams[len(named) % len(teams)]))
        return tuple(
            Person(at, name, team, f"192.0.2.{2 + at % 250}") for at, (name, team) in enumerate(named[: self.size])
        )

    def person(self, name: str) -> Person:
        """The employee of that name."""
        return next(person for person in self.people if person.name == name)

    def key(self, *names: object, long_lived: bool = False) -> str:
        """An access key id."""
        return ("AKIA" if long_lived else "ASIA") + self.token(16, "key", *names)

    def role_id(self, account: str, role: str) -> str:
        return "AROA" + self.token(17, "role", account, role)

    def user_id(self, account: str, user: str) -> str:
        return "AIDA" + self.token(17, "user", account, user)

    def okta_id(self, name: str) -> str:
        return "00u" + self.token(17, "okta", name).lower()

    def github_id(self, login: str) -> int:
        return 1_000_000 + self.number(90_000_000, "github", login)

    def repo_id(self, repo: str) -> int:
        return 200_000_000 + self.number(90_000_000, "repo", repo)


def _rotated(names: list[str], by: str) -> Iterator[str]:
    start = sum(by.encode()) % len(names)
    return iter(names[start:] + names[:start])


MACHINES: tuple[tuple[str, str, str], ...] = (
    (LOG, "svc-canary", "198.51.100.5"),
    (TOOLS, "svc-canary", "198.51.100.5"),
    (PROD, "svc-canary", "198.51.100.5"),
    (STAGING, "svc-canary", "198.51.100.5"),
    (PROD, "svc-billing-export", "198.51.100.21"),
    (PROD, "svc-backup", "198.51.100.22"),
    (TOOLS, "svc-registry-mirror", "198.51.100.23"),
)
"""Users with long-lived keys: account, name, the one address each comes from."""

WORKLOADS: tuple[tuple[str, str, str], ...] = (
    ("shop", "checkout", "irsa-checkout"),
    ("shop", "catalogue", "irsa-catalogue"),
    ("billing", "invoices", "irsa-invoices"),
    ("jobs", "report-runner", "irsa-report-runner"),
)
"""Namespace, service account and the role in production each pod assumes."""

CI_ROLES: tuple[tuple[str, str, str], ...] = (
    ("shop", TOOLS, "gha-build"),
    ("billing", TOOLS, "gha-build"),
    ("mobile", TOOLS, "gha-build"),
    ("infra", PROD, "gha-terraform"),
    ("platform", STAGING, "gha-plan"),
)
"""Repository, account and role its workflow takes by OIDC."""


def instances(cast: Cast, account: str, region: str) -> list[tuple[str, str]]:
    """Machines of a region with the private address of each."""
    net = CELLS.index((account, region))
    return [
        (f"i-0{cast.digest('instance', account, region, at).hex()[:16]}", f"10.{20 + net}.0.{10 + at}")
        for at in range(16)
    ]


def arn(account: str, kind: str, name: str, service: str = "iam") -> str:
    """``arn:aws:iam::ACCOUNT:kind/name`` or the STS form of a session."""
    return f"arn:aws:{service}::{account}:{kind}/{name}"


def stamp(at: datetime) -> str:
    """As CloudTrail and Kubernetes write seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_ms(at: datetime, millis: int = 0) -> str:
    """As Okta writes."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def days(months: float) -> list[datetime]:
    """The days of the logs, oldest first: 30.67 days for a month, up to the capture."""
    number = round(months * 92 / 3)
    return [END - timedelta(days=left) for left in range(number, 0, -1)]
