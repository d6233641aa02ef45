"""What may be chosen in a form, from what the incident holds: people, claims, evidence, tasks, steps.

Fields are known by the pattern of their ids, so that a new use case finds its choices without being named here.
A closed choice is offered only where nothing else can be right; people and citations are suggested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from holdfast.app.application import Application
from holdfast.app.commanding import AccountName, Cite, UseCase
from holdfast.app.installation import Account
from holdfast.app.queries.unmasking import unmasked
from holdfast.app.state import IncidentState
from holdfast.app.work import ERASED
from holdfast.incidents.access import may_see
from holdfast.kernel.texts import Sealed
from holdfast.web.forms import Offer
from holdfast.web.shapes import Shape, shape_of

Rows = Sequence[tuple[str, str]]
SHORT = 80
"""Characters of somebody's words that a choice shows."""

_THINGS: Mapping[str, Callable[[IncidentState], Mapping[str, Any]]] = MappingProxyType(
    {
        "action": lambda state: state.recovery.actions,
        "claim": lambda state: state.communications.claims,
        "correction": lambda state: state.communications.corrections,
        "credential": lambda state: state.recovery.credentials,
        "decision": lambda state: state.incidents.board.decisions,
        "default": lambda state: state.recovery.defaults,
        "erasure": lambda state: state.evidence.erasures,
        "ev": lambda state: state.evidence.items,
        "freeze": lambda state: state.incidents.board.freezes,
        "hold": lambda state: state.evidence.holds,
        "pass": lambda state: state.incidents.board.passes,
        "play": lambda state: state.plays.runs,
        "task": lambda state: state.incidents.board.tasks,
        "update": lambda state: state.communications.updates,
    }
)
"""Prefix of a numbered id to the things that have such ids."""
_TITLES = ("text", "name", "action", "words", "reason", "subject")
"""Attributes whose words name a thing, the most telling first."""


class Choices:
    """The choices of one page: everything is looked up once, however many forms the page has."""

    def __init__(self, app: Application, state: IncidentState | None) -> None:
        """Choices on an incident as it stands, or on the installation."""
        self._app = app
        self._state = state
        self._known: dict[str, Rows] = {}

    def complete(self, case: UseCase, given: Offer) -> Offer:
        """The page's own offer, completed by what the incident and the installation know."""
        options: dict[str, Rows] = {}
        suggestions: dict[str, Rows] = {}
        for name, info in case.command.model_fields.items():
            if name in given.fixed or name in given.options or name in given.suggestions or name == "saw":
                continue
            shape = shape_of(info)
            of = shape.item if shape.kind == "list" and shape.item is not None else shape
            if of.pattern == _PERSON:
                suggestions[name] = self._once("people", lambda: people(self._app, self._state))
            elif self._state is None:
                continue
            elif of.pattern == _CITED:
                suggestions[name] = self._numbered("ev", self._state)
            elif found := self._closed(name, shape if shape.kind == "pairs" else of, self._state):
                options[name] = found
        return replace(given, options={**options, **given.options}, suggestions={**suggestions, **given.suggestions})

    def _closed(self, name: str, shape: Shape, state: IncidentState) -> Rows:
        if shape.kind == "pairs" and name == "answers":
            digest = state.incidents.pins.get("severity_table", "")
            return self._once("answers", lambda: severity_questions(self._app, digest))
        prefix = (shape.pattern or "").removeprefix("^").partition("-[1-9]")[0]
        if prefix in _THINGS:
            return self._numbered(prefix, state)
        make = _BY_NAME.get(name)
        return self._once(name, lambda: make(self._app, state)) if make is not None else ()

    def _numbered(self, prefix: str, state: IncidentState) -> Rows:
        return self._once(f"{prefix}-", lambda: _things(self._app, state, prefix))

    def _once(self, key: str, make: Callable[[], Rows]) -> Rows:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def _pattern(annotated: Any) -> str | None:  # noqa: ANN401 - an annotated type
    return next((mark.pattern for mark in annotated.__metadata__ if getattr(mark, "pattern", None)), None)


_PERSON, _CITED = _pattern(AccountName), _pattern(Cite)


def people(app: Application, state: IncidentState | None) -> Rows:
    """Active people who may see the incident, with what they are qualified for."""
    now = app.tools.clock()
    found = sorted(app.states.installation().accounts.values(), key=lambda one: one.name)
    return [
        (one.name, _person(one))
        for one in found
        if one.active
        and (state is None or (one.kind == "person" and may_see(state.incidents, one.name, one.roles, now)))
    ]


def _person(account: Account) -> str:
    known = ", ".join(sorted(role.replace("_", " ") for role in account.qualified))
    return f"{account.name} ({known})" if known else account.name


def severity_questions(app: Application, digest: str) -> Rows:
    """Key and wording of every question of a severity table; of the shipped one when none is named."""
    document = app.tools.documents.get(digest) if digest else app.tools.documents.shipped("severity")
    return [(row["key"], row["wording"]) for row in document["question"]]


def _things(app: Application, state: IncidentState, prefix: str) -> Rows:
    things = _THINGS[prefix](state)
    titles = {key: _title(thing) for key, thing in things.items()}
    words = app.texts.read([title.text_id for title in titles.values() if isinstance(title, Sealed)])
    rows = []
    for key, thing in things.items():
        title = titles[key]
        said = words.get(title.text_id, ERASED) if isinstance(title, Sealed) else str(title or "")
        standing = str(getattr(thing, "standing", "") or "").replace("_", " ")
        told = unmasked(" ".join(said.split())[:SHORT])
        rows.append((key, f"{key}: {told}" + (f" ({standing})" if standing else "")))
    return rows


def _title(thing: object) -> object:
    return next((found for name in _TITLES if (found := getattr(thing, name, None))), None)


def _lines(app: Application, state: IncidentState) -> Rows:
    document = _runbook(app, state).get("board", {})
    return [(row["id"], f"{row['id']} {row['name']}") for row in document.get("line", ())]


def _questions(app: Application, state: IncidentState) -> Rows:
    document = _runbook(app, state).get("questions", {})
    return [(row["id"], f"{row['id']} {row['question']}") for row in document.get("questions", ())]


def _runbook(app: Application, state: IncidentState) -> Mapping[str, Any]:
    digest = state.incidents.pins.get("runbook", "")
    return app.tools.documents.get(digest) if digest else {}


def _plays(app: Application, state: IncidentState) -> Rows:
    pinned: Mapping[str, str] = state.incidents.pins.get("plays", {})
    return [(key, str(app.tools.documents.get(digest)["name"])) for key, digest in pinned.items()]


def _steps(app: Application, state: IncidentState) -> Rows:
    digests: Iterable[str] = dict.fromkeys(run.digest for run in state.plays.runs.values())
    return [
        (row["id"], f"{row['id']} {row['name']}")
        for digest in digests
        for row in app.tools.documents.get(digest)["steps"]
    ]


_BY_NAME: Mapping[str, Callable[[Application, IncidentState], Rows]] = MappingProxyType(
    {"line": _lines, "question": _questions, "play": _plays, "step": _steps}
)
