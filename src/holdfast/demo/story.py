"""The night as scenes, in order, and what every scene has to hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.demo.inputs import (
    Leak,
    archive_release,
    make_repository,
    new_key_id,
    new_leak,
    write_chat,
    write_pushes,
)
from holdfast.demo.people import Cast, Done, Person
from holdfast.demo.server import Place
from holdfast.demo.surroundings import SECRET, Surroundings
from holdfast.demo.telling import Teller
from holdfast.demo.trail import Cloud, Findings, write_night
from holdfast.kernel.instants import format_instant

WINDOW_HOURS = 4
"""How far back the investigation looks; what was before tells what is usual."""


@dataclass(slots=True)
class Show:
    """One run of the story."""

    teller: Teller
    cast: Cast
    place: Place
    leak: Leak
    cloud: Cloud
    cites: dict[str, str] = field(default_factory=dict)
    """What was captured or recorded, by a short name: ``trail`` to ``ev-1``."""
    values: dict[str, str] = field(default_factory=dict)
    """What a later scene needs of an earlier one, such as the text hash of a draft."""
    found: Findings | None = None

    @property
    def logs(self) -> Path:
        """The cloud's log folder."""
        return self.place.inputs / "cloudtrail"

    @property
    def repository(self) -> Path:
        """The payments repository."""
        return self.place.inputs / "payments"

    @property
    def findings(self) -> Findings:
        """What the logs say, once examined."""
        assert self.found is not None
        return self.found

    def person(self, account: str) -> Person:
        """Somebody of the cast."""
        return self.cast.people[account]

    def act(self, who: str, path: str, says: str, /, **fields: object) -> Done:
        """A command by a person, and the sentence that tells it."""
        done = self.person(who).does(path, **fields)
        self.teller.says(who, says)
        return done

    def quietly(self, who: str, path: str, /, **fields: object) -> Done:
        """A command that belongs to a sentence told elsewhere."""
        return self.person(who).does(path, **fields)

    def investigates(self, who: str) -> Mapping[str, Any]:
        """The captured items are read: what did the key, and whoever held it, in the last hours?"""
        asked = {
            "subjects": [self.leak.key_id, f"payments/secrets/{SECRET}"],
            "from": format_instant(self.cloud.now - timedelta(hours=WINDOW_HOURS)),
            "responders": [self.cloud.operator().as_json()["arn"]],
        }
        return self.person(who).investigates(asked)

    def adopts(self, who: str, question: str, told: Mapping[str, Any]) -> Done:
        """A person confirms an answer of an investigation."""
        return self.quietly(who, "question adopt", question=question, evidence=told["evidence_id"])

    def cited(self, *names: str) -> list[str]:
        """Citations by their short names."""
        return [self.cites[name] for name in names]


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene."""

    title: str
    ids: str
    """The runbook's ids it plays."""
    play: Callable[[Show], None]


def in_minutes(minutes: float) -> str:
    """An instant from now on."""
    return format_instant(datetime.now(UTC) + timedelta(minutes=minutes))


def prepare(teller: Teller, cast: Cast, place: Place) -> Show:
    """Make the input: a repository with a leak in its history, a release of then, logs, and what else a team has."""
    now = datetime.now(UTC)
    leak = new_leak()
    cloud = Cloud(leak.key_id, new_key_id(), new_key_id(), now)
    show = Show(teller, cast, place, leak, cloud)
    make_repository(show.repository, leak, now)
    archive_release(show.repository, "v1.4.0", place.inputs / "registry/payments-1.4.0.tar")
    archive_release(show.repository, "v1.5.0", place.inputs / "registry/payments-1.5.0.tar")
    write_pushes(show.repository, place.inputs / "pushes.json")
    Surroundings(place.inputs, cloud).write()
    write_chat(place.inputs / "chat", leak, now)
    write_night(show.logs, cloud)
    return show
