"""Small changes to a form that a page knows better than its command: fields left out, asked differently."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from holdfast.web.forms import FormView


def without(form: FormView | None, *names: str) -> FormView | None:
    """The form without some fields, which are then absent from what is sent."""
    if form is None:
        return None
    return replace(form, fields=tuple(field for field in form.fields if field.name not in names))


def tuned(form: FormView | None, name: str, **changes: Any) -> FormView | None:  # noqa: ANN401 - attributes of FieldView
    """The form with one field drawn differently; ``changes`` are attributes of its ``FieldView``."""
    if form is None:
        return None
    fields = (replace(field, **changes) if field.name == name else field for field in form.fields)
    return replace(form, fields=tuple(fields))
