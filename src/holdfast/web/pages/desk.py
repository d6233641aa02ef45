"""What the pages of an incident are written with: the frame, words as they may be shown, and forms.

A form is left out where the viewer may not do the act; templates draw what is there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer
from holdfast.app.commanding import REGISTRY, UseCase
from holdfast.app.queries import showing
from holdfast.app.queries.unmasking import unmasked_within
from holdfast.app.state import IncidentState
from holdfast.kernel.events import Event
from holdfast.web.forms import FormView, Offer
from holdfast.web.pages.acting import Place, form_for
from holdfast.web.pages.incident_frame import Frame, frame
from holdfast.web.rendering import render
from holdfast.web.shapes import shape_of

_BLANK = re.compile(r"^(?:[A-Z][A-Z_=-]*|…|ev-…)$")
"""A placeholder in a suggested command: ``ACCOUNT``, ``QUESTION=ANSWER``, ``…``."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One viewer at one page of one incident."""

    request: Request
    app: Application
    viewer: Viewer
    frame: Frame

    @property
    def state(self) -> IncidentState:
        """The incident now."""
        return self.frame.state

    def shown(self, value: object) -> Any:  # noqa: ANN401 - any JSON value
        """A state, or a part of one, as JSON with every word in it, deceiving characters named."""
        return unmasked_within(showing.as_json(value, self.app.texts))

    def events(self) -> list[Event]:
        """The incident's whole record."""
        return self.app.record.load(self.state.id)

    def form(
        self,
        use_case: str,
        *,
        back: str = "",
        instance: str = "",
        submit: str = "",
        offer: Offer | None = None,
        preset: Mapping[str, Any] | None = None,
        **fixed: object,
    ) -> FormView | None:
        """The form of a use case here, or none where it is not for this viewer."""
        given = offer or Offer()
        given = replace(given, preset={**given.preset, **(preset or {})}, submit=submit or given.submit)
        place = Place(back=back, instance=instance)
        return form_for(self.request, self.state, self.viewer, use_case, given, place, **fixed)

    def form_of(self, command: str, instance: str, labels: Mapping[str, str] | None = None) -> FormView | None:
        """The form that does what a suggested command line says; none when it names no use case.

        Args:
            command: such as ``holdfast role assign INC-2026-0042 technical_lead ACCOUNT``.
            instance: tells it apart on the page.
            labels: use case to the words on its button.
        """
        found = _case_of(command)
        if found is None:
            return None
        case, rest = found
        preset = _said(case, [word for word in rest if word not in (self.state.id, "INC")])
        return self.form(case.name, instance=instance, preset=preset, submit=(labels or {}).get(case.name, ""))

    def render(self, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """The page."""
        return render(self.request, self.viewer, template, status=status, **{**self.frame.context, **context})


def desk(request: Request, app: Application, viewer: Viewer, incident_id: str) -> Desk:
    """Sit down at an incident.

    Raises:
        NotFoundError: absent, or not for this viewer.
    """
    return Desk(request, app, viewer, frame(request, app, viewer, incident_id))


def _case_of(command: str) -> tuple[UseCase, list[str]] | None:
    """The use case a command line names (the longest path that fits), and the words after it."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if words[:1] == ["holdfast"]:
        words = words[1:]
    for length in (3, 2, 1):
        case = REGISTRY.get("-".join(words[:length]))
        if case is not None and len(case.path.split()) == length:
            return case, words[length:]
    return None


def _said(case: UseCase, rest: list[str]) -> dict[str, str]:
    """Fields that a suggested command fills: its plain words in the order of the positional fields."""
    said: dict[str, str] = {}
    plain = list(case.positional)
    for word in rest:
        if word.startswith("--"):
            break
        if not plain:
            break
        name = plain.pop(0)
        kind = shape_of(case.command.model_fields[name]).kind
        if not _BLANK.match(word) and kind not in ("words", "list", "json"):
            said[name] = word
    return said
