from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints

import holdfast.app.commands
from holdfast.app.commanding import (
    REGISTRY,
    AccountName,
    Cites,
    IncidentCommand,
    Instant,
    Key,
    Line,
    Prose,
    Scope,
    UseCase,
    numbered,
)
from holdfast.kernel.errors import BadInputError, ConflictError
from holdfast.web import rendering
from holdfast.web.forms import FieldView, FormView, Frame, Offer, Parsed, form_view, parse_form

for found in pkgutil.iter_modules(holdfast.app.commands.__path__):
    importlib.import_module(f"holdfast.app.commands.{found.name}")

Answer = Literal["no", "unknown", "suspected", "confirmed"]
FRAME = Frame("/do/sample", csrf="c", key="k-12345678", zone="Europe/Berlin")


class Sample(IncidentCommand):
    """Do the sample: with everything."""

    title: Line = Field(description="one line")
    report: Prose | None = Field(default=None, description="word for word")
    answers: dict[Key, Answer] = Field(default={}, description="what is known")
    level: Literal[1, 2, 3, 4] = Field(default=2)
    owner: AccountName | None = None
    cites: Cites = Field(default=[])
    kinds: list[Literal["log", "ticket"]] = Field(default=[])
    scope: list[Scope] = Field(default=[])
    notes: list[Line] = Field(default=[])
    seen_at: Instant | None = None
    due: date | None = None
    minutes: int = Field(default=30, ge=1, le=240)
    page: bool = False
    agreed: bool | None = None
    claim: Annotated[str, numbered("claim")] | None = None
    code: Annotated[str, StringConstraints(pattern="^[A-Z]+$")] | None = None
    facts: dict[str, str] = Field(default={})
    impact: list[Annotated[str, StringConstraints(pattern="^[a-z]+=(no|unknown)$")]] = Field(default=[])
    by_day: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None


SAMPLE = UseCase("sample do", Sample, lambda *_: None, "read", "sample", (), (), __name__)


def sent(parsed: Parsed) -> Any:
    assert not parsed.errors
    return parsed.command


def field(form: FormView, name: str) -> FieldView:
    return next(one for one in form.fields if one.name == name)


def shown(form: FormView) -> str:
    template = rendering.environment().from_string('{% import "macros.html" as ui %}{{ ui.command_form(form) }}')
    return template.render(form=form)


def test_each_kind_of_field_has_its_own_control() -> None:
    controls = {one.name: (one.control, one.input_type) for one in form_view(SAMPLE, FRAME).fields}
    assert controls == {
        "title": ("input", "text"),
        "report": ("textarea", "text"),
        "answers": ("textarea", "text"),
        "level": ("radio", "text"),
        "owner": ("input", "text"),
        "cites": ("input", "text"),
        "kinds": ("multi", "text"),
        "scope": ("input", "text"),
        "notes": ("textarea", "text"),
        "seen_at": ("datetime", "datetime-local"),
        "due": ("input", "date"),
        "minutes": ("input", "number"),
        "page": ("checkbox", "text"),
        "agreed": ("select", "text"),
        "claim": ("input", "text"),
        "code": ("input", "text"),
        "facts": ("textarea", "text"),
        "impact": ("textarea", "text"),
        "by_day": ("input", "date"),
    }


def test_everything_a_form_sends_becomes_the_command() -> None:
    command = sent(
        parse_form(
            SAMPLE,
            [
                ("csrf", "c"),
                ("idempotency_key", "k-12345678"),
                ("saw", "7"),
                ("title", " AWS key, public; see ev-3 "),
                ("report", "first\r\nsecond, third"),
                ("answers.customer_data", "suspected"),
                ("answers.production", ""),
                ("level", "1"),
                ("cites", "ev-3, #17\n#18"),
                ("cites", "ev-4"),
                ("kinds", "log"),
                ("kinds", "ticket"),
                ("notes", "one, with comma\r\ntwo"),
                ("seen_at", "2026-11-23T04:07"),
                ("seen_at@zone", "Europe/Berlin"),
                ("due", "2026-11-30"),
                ("minutes", "45"),
                ("page", "true"),
                ("page", "false"),
                ("agreed", "false"),
                ("claim", "claim-3"),
                ("facts", "host: web-1\nport = 80"),
                ("impact.data", "no"),
                ("impact.access", "unknown"),
            ],
        )
    )
    assert command == Sample(
        saw=7,
        title=" AWS key, public; see ev-3 ",
        report="first\nsecond, third",
        answers={"customer_data": "suspected"},
        level=1,
        cites=["ev-3", "#17", "#18", "ev-4"],
        kinds=["log", "ticket"],
        notes=["one, with comma", "two"],
        seen_at=datetime(2026, 11, 23, 3, 7, tzinfo=UTC),
        due=date(2026, 11, 30),
        minutes=45,
        page=True,
        agreed=False,
        claim="claim-3",
        facts={"host": "web-1", "port": "80"},
        impact=["data=no", "access=unknown"],
    )


def test_answers_as_pairs_are_a_question_each() -> None:
    asked = Offer(options={"impact": [("data", "Customer data?")]}, preset={"impact": ["data=unknown"]})
    group = field(form_view(SAMPLE, FRAME, asked), "impact")
    assert group.control == "group"
    assert [(row.name, row.label) for row in group.rows] == [("impact.data", "Customer data?")]
    assert [choice.value for choice in group.rows[0].choices if choice.chosen] == ["unknown"]


def test_a_long_summary_gives_way_to_verb_and_noun() -> None:
    class Long(IncidentCommand):
        """Do something whose summary would never fit on a button of a phone."""

    assert (
        form_view(UseCase("severity raise", Long, lambda *_: None, "a", None, (), (), ""), FRAME).label
        == "Raise severity"
    )


def test_empty_answers_are_absent() -> None:
    empty = [(name, "  ") for name in Sample.model_fields if name != "title"]
    parsed = parse_form(SAMPLE, [*empty, ("title", "x")])
    assert parsed.values == {"title": "x"}
    assert parsed.command == Sample(title="x")


@pytest.mark.parametrize("name", ["role", "title.x", "title@zone", "answers.", "__class__"])
def test_a_field_the_command_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(BadInputError) as refused:
        parse_form(SAMPLE, [("title", "x"), (name, "1")])
    assert refused.value.code == "form-field-unknown"


def test_each_error_stands_beside_its_field_and_every_word_is_kept() -> None:
    typed = [
        ("saw", "3"),
        ("report", "my long story"),
        ("answers.customer_data", "perhaps"),
        ("cites", "evidence 3"),
        ("minutes", "soon"),
        ("owner", "Mara Lind"),
        ("seen_at", "yesterday"),
        ("level", "9"),
    ]
    parsed = parse_form(SAMPLE, typed)
    assert parsed.command is None
    assert parsed.errors["title"] == "This one is needed."
    assert parsed.errors["cites"] == "Write it like ev-3 or #17."
    assert parsed.errors["owner"] == "Write it like mara.lind."
    assert parsed.errors["minutes"] == "A whole number is needed."
    assert "2026-11-23T03:07:00+01:00" in parsed.errors["seen_at"]
    assert "answers.customer_data" in parsed.errors
    offer = Offer(options={"answers": [("customer_data", "Is customer data touched?")]})
    form = form_view(SAMPLE, FRAME, offer, answer=parsed)
    page = shown(form)
    for name, text in typed[1:]:
        assert text in page or name in ("answers.customer_data", "level")  # not on offer: only a forged form sends it
    assert form.error is not None
    assert form.error.details["fields"] == parsed.errors
    assert field(form, "cites").error
    assert field(form, "answers").rows[0].error
    assert ("saw", "3") in form.hidden


@pytest.mark.parametrize(
    ("text", "said"),
    [("2026-10-25T02:30", "came twice"), ("2026-03-29T02:30", "never came"), ("2026-02-30T02:30", "not a time")],
)
def test_a_wall_clock_time_that_is_not_one_instant_is_refused(text: str, said: str) -> None:
    parsed = parse_form(SAMPLE, [("title", "x"), ("seen_at", text), ("seen_at@zone", "Europe/Berlin")])
    assert said in parsed.errors["seen_at"]
    view = field(form_view(SAMPLE, FRAME, answer=parsed), "seen_at")
    assert (view.value, view.input_type) == (text, "text")


def test_a_time_typed_with_its_offset_needs_no_zone() -> None:
    command = sent(parse_form(SAMPLE, [("title", "x"), ("seen_at", "2026-10-25T02:30:00+02:00")]))
    assert command.seen_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_what_the_page_knows_is_shown_chosen_or_sent_hidden() -> None:
    offer = Offer(
        preset={"seen_at": datetime(2026, 11, 23, 3, 7, tzinfo=UTC), "level": 3, "cites": ["ev-1", "#2"]},
        fixed={"saw": 4, "claim": "claim-2"},
        options={"owner": [("mara.lind", "Mara Lind"), ("idris.okoro", "Idris Okoro")]},
        suggestions={"scope": [("prod", "production")]},
        labels={"title": "What happened"},
        submit="Send it",
    )
    form = form_view(SAMPLE, FRAME, offer)
    assert field(form, "seen_at").value == "2026-11-23T04:07:00"
    assert [choice.value for choice in field(form, "level").choices if choice.chosen] == ["3"]
    assert field(form, "cites").value == "ev-1 #2"
    assert field(form, "owner").control == "select"
    assert field(form, "scope").list_id
    assert field(form, "title").label == "What happened"
    assert form.submit == "Send it"
    assert ("claim", "claim-2") in form.hidden
    assert "claim" not in {one.name for one in form.fields}


def test_after_a_lost_race_both_texts_are_shown_and_the_next_try_is_on_what_stands() -> None:
    parsed = parse_form(SAMPLE, [("title", "mine <b>"), ("saw", "3")])
    theirs = {"text": "theirs & all", "by": "idris.okoro", "at": "2026-11-23T03:00:00Z"}
    error = ConflictError("facet-changed", "Changed.", why="w", next_step="n", details={"version": 9, "theirs": theirs})
    form = form_view(SAMPLE, FRAME, answer=parsed, error=error)
    page = shown(form)
    assert "theirs &amp; all" in page
    assert "mine &lt;b&gt;" in page
    assert ("saw", "9") in form.hidden


def test_a_refusal_that_names_a_field_is_shown_beside_it() -> None:
    error = BadInputError("x", "No.", why="Nobody has that name.", next_step="n", details={"field": "owner"})
    assert field(form_view(SAMPLE, FRAME, error=error), "owner").error == "Nobody has that name."


def as_sent(form: FormView) -> list[tuple[str, str]]:
    """What a browser sends when nothing was touched."""
    pairs = list(form.hidden)
    for one in [inner for view in form.fields for inner in (view.rows or (view,))]:
        if one.control == "checkbox":
            pairs += [(one.name, "true")] * (one.value == "true") + [(one.name, "false")]
        elif one.control in ("radio", "multi"):
            pairs += [(one.name, choice.value) for choice in one.choices if choice.chosen]
        else:
            pairs.append((one.name, one.value))
            if one.control == "datetime":
                pairs.append((f"{one.name}@zone", one.zone))
    return pairs


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)


@given(
    title=words,
    report=st.none() | words,
    answers=st.dictionaries(st.sampled_from(["data", "access"]), st.sampled_from(["no", "confirmed"])),
    cites=st.lists(st.sampled_from(["ev-1", "#2", "#30"])),
    seen=st.none() | st.integers(min_value=1_793_500_000, max_value=1_801_000_000),
    page=st.booleans(),
    agreed=st.none() | st.booleans(),
)
def test_a_form_filled_from_a_command_sends_that_command_back(  # noqa: PLR0917 - Hypothesis passes by name
    title: str,
    report: str | None,
    answers: dict[str, Any],
    cites: list[str],
    seen: int | None,
    page: bool,
    agreed: bool | None,
) -> None:
    at = datetime.fromtimestamp(seen, UTC) if seen else None
    command = Sample(
        title=title, report=report, answers=answers, cites=cites, seen_at=at, page=page, agreed=agreed, saw=1
    )
    offer = Offer(
        preset=command.model_dump(exclude={"saw"}),
        fixed={"saw": 1},
        options={"answers": [("data", "Data?"), ("access", "Access?")]},
    )
    assert sent(parse_form(SAMPLE, as_sent(form_view(SAMPLE, FRAME, offer)))) == command


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_registered_use_case_has_a_form_that_renders_and_reads_back(name: str) -> None:
    case = REGISTRY[name]
    form = form_view(case, FRAME)
    page = shown(form)
    for one in form.fields:
        assert f'name="{one.name}' in page or one.control == "group"
        assert one.label
    parsed = parse_form(case, as_sent(form))
    required = {field for field, info in case.command.model_fields.items() if info.is_required()}
    assert {error for error in parsed.errors if error} <= required | {""}
    again = shown(form_view(case, FRAME, answer=parsed))
    assert 'data-command="' + name + '"' in again
