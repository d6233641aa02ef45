"""Forms made from use cases, and read back into their commands.

1. Every registered use case has a form; its labels and help are the command's own field names and descriptions.
2. What was typed is kept: a refused form comes back with every word, and the reason beside the field.
3. A field the command does not have is refused; nothing is filled in silently.
4. An empty answer is *absent*, never an empty text.
5. A wall-clock time is read in the zone sent with it; one that happens twice or never is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from holdfast.app.commanding import Command, UseCase
from holdfast.kernel.errors import BadInputError, HoldfastError
from holdfast.web import reading
from holdfast.web.rendering import in_zone
from holdfast.web.shapes import Shape, example, shape_of, words

FRAME_FIELDS = ("csrf", "idempotency_key")
"""Fields every form sends beside its command's own."""
RADIOS = 5
"""With more choices than this a field is a select."""
SHORT_LABEL = 44

Control = Literal["input", "textarea", "select", "radio", "multi", "checkbox", "datetime", "group"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers on offer."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as the template draws it."""

    id: str
    name: str
    label: str
    help: str
    control: Control
    required: bool
    value: str = ""
    choices: tuple[Choice, ...] = ()
    error: str = ""
    rows: tuple[FieldView, ...] = ()
    """The questions of a group, each a radio field."""
    input_type: str = "text"
    lines: int = 4
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    placeholder: str = ""
    zone: str = "UTC"
    list_id: str = ""
    """Id of the suggestions, when there are any."""


@dataclass(frozen=True, slots=True)
class FormView:
    """A form as the template draws it (``macros.command_form``)."""

    id: str
    name: str
    """The use case's name, also ``data-command``."""
    label: str
    action: str
    submit: str
    fields: tuple[FieldView, ...]
    hidden: tuple[tuple[str, str], ...]
    error: HoldfastError | None
    zone: str
    multipart: bool
    theirs: Mapping[str, Any] | None
    """After a lost race: ``text``, ``by`` and ``at`` of what stands now."""
    mine: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds a form: where it goes and whose page it is on."""

    action: str
    csrf: str = ""
    key: str = ""
    """Idempotency key: a fresh one for each rendered form."""
    zone: str = "UTC"
    """IANA zone of the incident; wall-clock fields are read in it."""
    instance: str = ""
    """Tells two forms of one use case on one page apart, such as ``claim-3``."""
    multipart: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page knows beforehand."""

    preset: Mapping[str, Any] = field(default_factory=dict)
    """Field to the value shown at first; the person may change it."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Field to a value sent hidden: the page is about exactly this (and ``saw``)."""
    options: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """Field to all its possible values with labels; for a table, its keys with their questions."""
    suggestions: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """Field to likely values; others may be typed."""
    labels: Mapping[str, str] = field(default_factory=dict)
    submit: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A submitted form, read."""

    values: Mapping[str, Any]
    """Arguments for the command's model; absent where nothing was said."""
    typed: Mapping[str, tuple[str, ...]]
    """Every field's text exactly as it was sent."""
    errors: Mapping[str, str]
    """Field (``answers.customer_data`` for one question of a group) to what is wrong; "" for the form."""
    command: Command | None
    """The command, when nothing is wrong."""

    def refusal(self) -> BadInputError:
        """The error of the whole form, for the notice above it and for the JSON answer."""
        count = len(self.errors)
        return BadInputError(
            "form-incomplete",
            "Nothing was recorded yet.",
            why=self.errors.get("")
            or ("One answer needs another look." if count == 1 else f"{count} answers need it."),
            next_step="See the fields marked below; everything you typed is kept.",
            details={"fields": dict(self.errors)},
        )


def parse_form(case: UseCase, pairs: Iterable[tuple[str, str]]) -> Parsed:
    """Read a submitted form.

    Args:
        case: the use case the form was made from.
        pairs: names and texts in the order sent, repeats included; never files.

    Raises:
        BadInputError: a field the command does not have.
    """
    typed: dict[str, list[str]] = {}
    for name, text in pairs:
        if name not in FRAME_FIELDS:
            typed.setdefault(name, []).append(text)
    shapes = {name: shape_of(info) for name, info in case.command.model_fields.items()}
    _refuse_unknown(case, typed, shapes)
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, shape in shapes.items():
        reading.read_field(reading.Sent(name, shape, typed), values, errors)
    command = None
    try:
        command = case.command.model_validate(values)
    except ValidationError as wrong:
        for name, said in reading.complaints(wrong, shapes):
            errors.setdefault(name, said)
    return Parsed(values, {name: tuple(texts) for name, texts in typed.items()}, errors, None if errors else command)


def _refuse_unknown(case: UseCase, typed: Iterable[str], shapes: Mapping[str, Shape]) -> None:
    for name in typed:
        owner, _, rest = name.partition(".")
        zoned, _, mark = name.partition("@")
        known = (
            name in shapes
            or (rest != "" and owner in shapes and shapes[owner].kind in ("table", "pairs"))
            or (mark == "zone" and zoned in shapes and shapes[zoned].kind == "instant")
        )
        if not known:
            raise BadInputError(
                "form-field-unknown",
                f"This form has no field {name[:60]!r}.",
                why=f"{case.path} takes " + ", ".join(shapes) + ".",
                next_step="Reload the page and fill the form again.",
            )


def form_view(
    case: UseCase,
    frame: Frame,
    offer: Offer | None = None,
    *,
    answer: Parsed | None = None,
    error: HoldfastError | None = None,
) -> FormView:
    """The form of a use case.

    Args:
        case: the use case.
        frame: address, tokens and zone.
        offer: what the page knows beforehand.
        answer: a submission that was refused; everything typed is shown again.
        error: why it was refused; ``details`` may hold ``field`` (a name) or ``fields`` (name to what is wrong), and
            ``theirs`` (``text``, ``by``, ``at``) after a lost race.
    """
    given = offer or Offer()
    identity = "-".join(part for part in ("f", case.name, frame.instance) if part)
    draw = _Draw(identity, frame, given, answer, _field_errors(answer, error))
    visible = [
        (name, shape_of(info), info)
        for name, info in case.command.model_fields.items()
        if name not in given.fixed and name != "saw"
    ]
    theirs = error.details.get("theirs") if error else None
    label = given.submit or _label(case)
    return FormView(
        id=identity,
        name=case.name,
        label=label,
        action=frame.action,
        submit=label,
        fields=tuple(draw.field(name, shape, info.description or "", info.default) for name, shape, info in visible),
        hidden=_hidden(frame, given, answer, error),
        error=error or (answer.refusal() if answer is not None and answer.errors else None),
        zone=frame.zone,
        multipart=frame.multipart,
        theirs=theirs if isinstance(theirs, Mapping) else None,
        mine=draw.longest_text(shape_name for shape_name, shape, _ in visible if shape.kind == "words"),
    )


def _label(case: UseCase) -> str:
    said = case.summary.rstrip(".").split(":")[0]
    if len(said) <= SHORT_LABEL:
        return said
    noun, _, verb = case.path.partition(" ")
    return words(f"{verb} {noun}" if verb and " " not in verb else case.path)


def _hidden(
    frame: Frame, given: Offer, answer: Parsed | None, error: HoldfastError | None
) -> tuple[tuple[str, str], ...]:
    fixed: dict[str, Any] = dict(given.fixed)
    version = error.details.get("version") if error is not None else None
    if answer is not None and "saw" in answer.typed and isinstance(version, int):
        fixed["saw"] = version  # the person is shown what stands now, and decides again on that
    elif answer is not None and "saw" not in fixed and "saw" in answer.typed:
        fixed["saw"] = answer.typed["saw"][0]
    rows = [("csrf", frame.csrf), ("idempotency_key", frame.key)]
    for name, value in fixed.items():
        if value is not None:
            rows.extend((name, text) for text in _texts(value))
    return tuple((name, text) for name, text in rows if text != "")


def _field_errors(answer: Parsed | None, error: HoldfastError | None) -> dict[str, str]:
    found = dict(answer.errors) if answer is not None else {}
    if error is not None:
        fields, one = error.details.get("fields"), error.details.get("field")
        if isinstance(fields, Mapping):
            found |= {str(name): str(said) for name, said in fields.items()}
        if isinstance(one, str):
            found.setdefault(one, error.why)
    return found


def _texts(value: object) -> tuple[str, ...]:
    """A value as the texts a form sends for it."""
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, Mapping):
        return (json.dumps(value, default=str, ensure_ascii=False),)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(text for item in value for text in _texts(item))
    if isinstance(value, datetime | date):
        return (value.isoformat(),)
    return (str(getattr(value, "value", value)),)


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws the fields of one form."""

    identity: str
    frame: Frame
    offer: Offer
    answer: Parsed | None
    errors: Mapping[str, str]

    def field(self, name: str, shape: Shape, hint: str, default: object) -> FieldView:
        """One field, by its shape."""
        if shape.kind in ("table", "pairs") and (shape.keys or name in self.offer.options):
            return self._group(name, shape, hint)
        value = self.offer.preset.get(name, _known(default))
        texts = self.answer.typed.get(name, ()) if self.answer is not None else _preset(value, shape, self.frame.zone)
        view = FieldView(
            id=f"{self.identity}-{name}",
            name=name,
            label=self.offer.labels.get(name, words(name)),
            help=_sentence(hint),
            control="input",
            required=not shape.optional or (shape.kind == "choice" and _texts(_known(default)) != ()),
            error=self.errors.get(name, ""),
            zone=self.frame.zone,
            placeholder=example(shape),
        )
        return self._with_choices(view, shape, texts) or _typed(view, shape, texts)

    def _with_choices(self, view: FieldView, shape: Shape, texts: tuple[str, ...]) -> FieldView | None:
        offered = self._offered(view.name, shape)
        if offered is not None:
            choices = tuple(Choice(value, label, value in texts) for value, label in offered)
            missing = tuple(Choice(text, text, chosen=True) for text in texts if text not in dict(offered) and text)
            if shape.kind == "list":
                return replace(view, control="multi", choices=choices + missing)
            control: Control = "radio" if len(choices) <= RADIOS and view.required else "select"
            return replace(view, control=control, choices=choices, value=texts[0] if texts else "")
        suggested = self.offer.suggestions.get(view.name)
        if suggested is None:
            return None
        choices = tuple(Choice(value, label) for value, label in suggested)
        return replace(_typed(view, shape, texts), choices=choices, list_id=f"{view.id}-list")

    def _offered(self, name: str, shape: Shape) -> Sequence[tuple[str, str]] | None:
        if name in self.offer.options:
            return self.offer.options[name]
        of = shape.item if shape.kind == "list" and shape.item is not None else shape
        if of.kind == "choice":
            return [(sent, words(sent) if sent.islower() else sent) for sent, _ in of.choices]
        if of.kind == "flag" and (shape.nullable or not shape.optional or of is not shape):
            return [("true", "Yes"), ("false", "No")]
        return None

    def _group(self, name: str, shape: Shape, hint: str) -> FieldView:
        asked = self.offer.options.get(name) or [(key, words(key)) for key in shape.keys]
        preset = self.offer.preset.get(name)
        known = preset if isinstance(preset, Mapping) else dict(_pair(text) for text in _texts(preset))
        item = replace(shape.item or Shape("text"), optional=shape.optional)
        rows = []
        for key, question in asked:
            full = f"{name}.{key}"
            inner = _Draw(self.identity, self.frame, Offer(preset={full: known.get(key)}), self.answer, self.errors)
            row = inner.field(full, item, "", None)
            rows.append(replace(row, label=question, control="radio" if row.choices else row.control))
        return FieldView(
            id=f"{self.identity}-{name}",
            name=name,
            label=self.offer.labels.get(name, words(name)),
            help=_sentence(hint),
            control="group",
            required=not shape.optional,
            error=self.errors.get(name, ""),
            rows=tuple(rows),
        )

    def longest_text(self, names: Iterable[str]) -> str:
        """The longest free text of a refused submission: what a conflict shows as *yours*."""
        texts = ["".join(self.answer.typed.get(name, ())) for name in names] if self.answer is not None else []
        return max(texts, key=len, default="")


def _pair(text: str) -> tuple[str, str]:
    key, _, said = text.partition("=")
    return key, said


def _sentence(hint: str) -> str:
    """A field's description as the page shows it: with a capital and a stop."""
    said = hint.strip()
    if not said:
        return ""
    return said[0].upper() + said[1:] + ("" if said[-1] in ".?!:" else ".")


def _known(default: object) -> object:
    """A field's default, or nothing when it has none."""
    return None if default is PydanticUndefined else default


def _preset(value: object, shape: Shape, zone: str) -> tuple[str, ...]:
    if shape.kind == "instant" and isinstance(value, datetime | str):
        return (in_zone(value, zone, "field"),)
    if shape.kind == "pairs":
        return ("\n".join(": ".join(_pair(text)) for text in _texts(value)),)
    if shape.kind == "table" and isinstance(value, Mapping):
        return ("\n".join(f"{key}: {text}" for key, text in value.items()),)
    return _texts(value)


def _typed(view: FieldView, shape: Shape, texts: tuple[str, ...]) -> FieldView:
    """A field a person types into."""
    value = texts[-1] if texts else ""
    if shape.kind == "flag":
        return replace(view, control="checkbox", value="true" if "true" in texts else "false", required=False)
    if shape.kind == "instant":
        plain = value == "" or reading.is_wall_clock(value)
        kind = "datetime-local" if plain and not view.error else "text"
        return replace(view, control="datetime", value=value, input_type=kind, placeholder="2026-11-23T03:07:00+01:00")
    if shape.kind == "list":
        by_line = shape.item is not None and shape.item.kind == "words"
        return replace(view, control="textarea" if by_line else "input", value=("\n" if by_line else " ").join(texts))
    if shape.kind in ("json", "table", "pairs") or shape.multiline:
        return replace(view, control="textarea", value=value, max_length=shape.max_length)
    kind = {"number": "number", "date": "date"}.get(shape.kind, "text")
    limits = (shape.minimum, shape.maximum, shape.max_length)
    return replace(view, value=value, input_type=kind, minimum=limits[0], maximum=limits[1], max_length=limits[2])
