"""Reference pages made from library data: authorisation, plays and questions, severity, the runbook."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from tools.markdown import bullets, code, codes, page, table
from tools.pages_of_code import use_cases

from holdfast.app.authorisation import INCIDENT_ROLES, ORGANISATION_ROLES, SCOPES
from holdfast.app.authorisation import table as acts
from holdfast.app.state import TYPES
from holdfast.incidents import severity
from holdfast.investigation.library import library as questions
from holdfast.kernel.parts import Part
from holdfast.plays.definitions import Output, Step, load
from holdfast.plays.library import library as plays
from holdfast.recovery.catalogue import gate_definitions, prompts


def authorisation_page() -> str:
    """Acts against roles."""
    using: dict[str, list[str]] = {}
    for case in use_cases():
        using.setdefault(case.act, []).append(case.path)
    rows = [
        (
            code(act.name),
            *("yes" if role in act.organisation else "" for role in ORGANISATION_ROLES),
            " or ".join(role.replace("_", " ") for role in INCIDENT_ROLES if role in act.incident) or "any",
            codes(using.get(act.name, ())),
        )
        for act in sorted(acts().acts.values(), key=lambda one: one.name)
    ]
    reach = [
        (role, ", ".join(one for one in ORGANISATION_ROLES if one in reached)) for role, reached in acts().reach.items()
    ]
    return page(
        "Authorisation",
        "Who may do what is data. An act needs one of the organisation roles marked, and in the incident one of the "
        "incident roles named; whoever is acting commander counts as commander. What further depends on the person "
        "(the one asked, the second person, the one qualified) is decided with the act and refused with its reason.",
        "A restricted incident exists only for those on its list, those who hold a role in it, and those with an open "
        "break-glass; everybody else gets the same answer as for an incident that does not exist.",
        "## Acts",
        table(("act", *ORGANISATION_ROLES, "incident role", "commands"), rows),
        "## Who may grant which organisation role",
        table(("holder", "may grant"), reach),
        "## Scopes of a token",
        f"A token never does more than its scopes, whatever its owner may do: {codes(SCOPES)}. With `read` it may "
        "read; with `gate` it may only ask the freeze gate.",
    )


def plays_page() -> str:
    """Plays, questions, gates and prompts."""
    parts: list[str] = []
    for key, document in plays().items():
        play = load(document)
        parts += [f"## {play.name}", f"{code(key)}, version {play.version}. {play.when}"]
        parts += [_step(step) for step in play.steps]
    parts.append("## Questions of the investigation")
    for row in questions()["questions"]:
        parts.append(f"### {row['id']} {row['name']}")
        parts.append(f"{row['question']} {row['why']}")
        parts.append(
            _parts_table([(code(part["key"]), part["name"], part.get("hint", "")) for part in row.get("parts", ())])
        )
    return page(
        "Plays and questions",
        "A step or question is made of parts. A part is done with a citation, or unknown, unreachable or not "
        "applicable with a reason; a step is done only when every part is settled and every needed output is "
        "recorded. Where no parts are named there is one, `result`.",
        *parts,
    )


def _step(step: Step) -> str:
    told = [step.why]
    if step.destroys_evidence:
        told.append(f"**Destroys evidence:** {step.loses}")
    if step.undo:
        told.append(f"**Undo:** {step.undo}")
    outputs = [row for output in step.outputs for row in _outputs(output)]
    return "\n\n".join(
        part
        for part in (
            f"### {step.id} {step.name}",
            " ".join(told),
            _parts_table([(code(part.key), part.name, part.hint) for part in step.parts]),
            table(("output", "type", "needed", "meaning"), outputs),
            bullets([*step.hints, *(f"Trap: {trap}" for trap in step.traps)]),
        )
        if part
    )


def _outputs(output: Output) -> Iterator[tuple[str, str, str, str]]:
    kind: str = output.type
    if output.choices:
        kind = " or ".join(code(choice.key) for choice in output.choices)
    elif output.fields:
        kind = "list of " + ", ".join(f"{field.key} ({field.type})" for field in output.fields)
    needed = "yes" if output.required else "no"
    if output.required_if:
        needed = f"if {output.required_if[0]} is {output.required_if[1]}"
    if output.instead_of:
        needed = f"instead of {output.instead_of}"
    yield code(output.key), kind, needed, f"{output.name}. {output.hint}".strip()


def _parts_table(rows: list[tuple[str, str, str]]) -> str:
    return table(("part", "name", "hint"), rows)


def severity_page() -> str:
    """The decision table."""
    shipped = severity.load(_toml("incidents", "severity"))
    levels = [(one.runbook, one.name, one.meaning, one.target) for one in shipped.levels]
    rows = [
        (str(one.number), code(one.key), one.wording, one.suspected, one.confirmed, "yes" if one.decisive else "")
        for one in shipped.questions
    ]
    escalators = [
        (one.key, one.name, one.level, _clauses(one), "on" if one.enabled else "off") for one in shipped.escalators
    ]
    return page(
        "Severity",
        "Each question is answered no, unknown, suspected or confirmed. The worst level that an answer or an escalator "
        "reaches is the answer. Unknown never changes the level; an unknown among the decisive questions makes it "
        "provisional. A declared severity rises freely and falls only by the commander's proposal with a reason, "
        "confirmed by a second person; duties follow the peak. An incident is bound by digest to the table it was "
        "declared under.",
        "## Levels",
        table(("runbook", "level", "meaning", "response target"), levels),
        "## Questions",
        table(("no.", "key", "question", "suspected", "confirmed", "decisive"), rows),
        "## Escalators",
        "Every clause must hold; a clause holds when any of its conditions does.",
        table(("key", "name", "level", "holds when", "as shipped"), escalators),
    )


def _clauses(escalator: severity.Escalator) -> str:
    return "; and ".join(" or ".join(_condition(one) for one in clause) for clause in escalator.clauses)


def _condition(condition: severity.Condition) -> str:
    if condition.question is not None:
        return f"{condition.question} at least {condition.at_least}"
    return f"{'' if condition.is_so else 'not '}{condition.circumstance}"


def runbook_page() -> str:
    """Every id of the runbook, and what performs and records it."""
    rows = [
        (
            one,
            name,
            codes(case.path for case in use_cases() if one in case.runbook),
            codes(kind.name for kind in TYPES.values() if one in kind.runbook),
        )
        for one, name in runbook_names().items()
    ]
    return page(
        "The runbook",
        "Every item of the runbook with the commands that carry it out and the events that record it.",
        table(("id", "item", "commands", "events"), rows),
    )


def runbook_names() -> Mapping[str, str]:
    """Runbook id to its name, in the runbook's order."""
    names: dict[str, str] = {}
    names.update({one.runbook: one.name for one in severity.load(_toml("incidents", "severity")).levels})
    names.update({f"R{number}": role.replace("_", " ") for number, role in enumerate(INCIDENT_ROLES, start=1)})
    names.update({row["id"]: row["name"] for row in _toml("incidents", "board")["line"]})
    names.update({row["id"]: row["name"] for row in questions()["questions"]})
    for key in ("leaked-secret", "ci-token", "cloud-admin"):
        names.update({step.id: step.name for step in load(plays()[key]).steps})
    names.update({"C1": "The update", "C2": "Facts apart from hypotheses"})
    names.update({gate.id: gate.name for gate in gate_definitions()})
    names.update({prompt.id: prompt.name for prompt in prompts()})
    return names


def board_parts() -> Mapping[str, tuple[Part, ...]]:
    """Parts of each line of the first fifteen minutes."""
    return {
        row["id"]: tuple(Part(part["key"], part["name"], part.get("hint", "")) for part in row.get("part", ()))
        for row in _toml("incidents", "board")["line"]
    }


def _toml(package: str, name: str) -> dict[str, Any]:
    return tomllib.loads(files(f"holdfast.{package}").joinpath(f"library/{name}.toml").read_text(encoding="utf-8"))
