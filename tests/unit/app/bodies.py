"""A body for every use case, made from its declaration: valid in form, whatever the incident then says to it."""

from __future__ import annotations

from typing import Any

from holdfast.app.commanding import UseCase
from holdfast.web.shapes import Shape, example, shape_of

ACCOUNT = r"^[a-z0-9][a-z0-9._-]{1,39}$"
_HEX = "0" * 36


def body_for(case: UseCase) -> dict[str, Any]:
    """Values for every required field."""
    return {
        name: _value(name, shape_of(info)) for name, info in case.command.model_fields.items() if info.is_required()
    }


def _value(name: str, shape: Shape) -> Any:  # noqa: C901, PLR0911 - one line for each kind there is
    if shape.kind == "choice":
        return shape.choices[0][1]
    if shape.kind == "flag":
        return True
    if shape.kind == "number":
        return shape.minimum or 0
    if shape.kind == "instant":
        return "2026-11-23T10:00:00Z"
    if shape.kind == "date":
        return "2026-11-30"
    if shape.kind == "pairs":
        return ["customer_data=no"]
    if shape.kind == "table":
        return dict.fromkeys(shape.keys, "x") or {"a": "x"}
    if shape.kind == "list":
        return [_value(name, shape.item)] if shape.item is not None else []
    if shape.kind == "words":
        return "words"
    if shape.pattern == ACCOUNT:
        return "ben"
    if shape.pattern == "^I[1-7]$":
        return "I2"
    if "0-9a-f" in (shape.pattern or ""):
        return "a" * 64 if "64}$" in (shape.pattern or "") else _HEX
    return example(shape).split(" or ")[0] or "x"
