"""Commands that read an incident's sections: questions, plays, claims, updates, closure, review, measures."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast.cli.output import out, print_json, run, table, words
from holdfast.cli.reading import Inc, JsonOption

PlayId = Annotated[str, typer.Argument(metavar="[PLAY]", help="a run, such as play-1; every run when left out")]
UpdateId = Annotated[str, typer.Argument(metavar="UPDATE", help="an update, such as update-1")]
_SIGNS = {"inconsistent": "against", "consistent": "fits", "neutral": "neither", None: "not weighed"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def questions(incident: Inc, *, as_json: JsonOption = False) -> None:
    """List the questions of the investigation: standing, parts, what each answer does not cover."""
    answer = _read(f"/incidents/{incident}/questions", as_json=as_json)
    if answer is None:
        return
    rows = [
        (one["id"], one["name"], one["owner"] or "—", _standing(one), _parts(one["parts"]))
        for one in answer["questions"]
    ]
    table(("", "Question", "Owner", "State", "Parts done"), rows)
    for one in answer["questions"]:
        for part in one["parts"]:
            if part["standing"] in ("unknown", "unreachable"):
                out().print(
                    f"[yellow]{one['id']} {escape(part['name'])}: {part['standing']}[/] {_words(part['reason'])}"
                )
    following = next((one["next_command"] for one in answer["questions"] if one["next_command"]), "")
    _next(following)


def play(incident: Inc, play_id: PlayId = "", *, as_json: JsonOption = False) -> None:
    """Show a play: each step with its parts and outputs, what it would destroy, and the next command."""
    path = f"/incidents/{incident}/plays" + (f"/{play_id}" if play_id else "")
    answer = _read(path, as_json=as_json)
    if answer is None:
        return
    found = [answer] if play_id else answer["runs"]
    if not found:
        offered = ", ".join(one["key"] for one in answer["offered"])
        out().print(f"No play is started. There are: {escape(offered)}.")
        _next(f"holdfast play start {incident} leaked-secret")
    for one in found:
        _run(one)


def claims(incident: Inc, *, as_json: JsonOption = False) -> None:
    """List claims: facts, hypotheses ranked by what speaks against them, what was given up."""
    answer = _read(f"/incidents/{incident}/claims", as_json=as_json)
    if answer is None:
        return
    rows = [(one["id"], "FACT", _cites(one), one["text"]["text"]) for one in answer["facts"]]
    rows += [
        (one["claim"]["id"], f"hypothesis, rank {one['rank']}", f"{one['inconsistent']} against", _text(one["claim"]))
        for one in answer["hypotheses"]
    ]
    rows += [(one["id"], one["standing"], _cites(one), _text(one)) for one in answer["given_up"]]
    if rows:
        table(("", "Standing", "Rests on", "Claim"), rows)
    else:
        out().print("No claim yet. State what you suspect before you look for it.")
    for row in answer["matrix"]:
        cells = ", ".join(f"{cell['claim']} {_SIGNS[cell['consistency']]}" for cell in row["cells"])
        idle = " (decides nothing)" if row["idle"] else ""
        out().print(f"[bold]{escape(row['citation'])}[/]: {escape(cells)}{idle}")
    for owed in answer["owed"]:
        out().print(f"[bold red]Correction owed[/] to {owed['audience']}: {owed['claim_id']} ({owed['id']})")
    _next(f'holdfast claim state {incident} "…"')


def updates(incident: Inc, *, as_json: JsonOption = False) -> None:
    """List updates by audience: promises, drafts, and what each still needs."""
    answer = _read(f"/incidents/{incident}/updates", as_json=as_json)
    if answer is None:
        return
    for audience in answer["audiences"]:
        promise = audience["promise"]
        late = "[bold red]OVERDUE[/] " if promise and promise["overdue"] else ""
        said = f"{late}next update promised for {promise['due_at']}" if promise else "nothing is promised"
        out().print(f"[bold]{audience['audience'].capitalize()}[/]: {said}")
        for one in audience["updates"]:
            blocked = " [yellow]wording blocked[/]" if one["blocked"] else ""
            out().print(f"  {one['id']} {one['standing']}{blocked}, by {escape(one['author'])} {one['written_at']}")
            for missing in one["missing"]:
                out().print(f"    {escape(missing)}")
    _next(f"holdfast update show {incident} update-1")


def update(incident: Inc, update_id: UpdateId, *, as_json: JsonOption = False) -> None:
    """Show one update: exactly its text, its hash, the findings, and who must still approve."""
    answer = _read(f"/incidents/{incident}/updates/{update_id}", as_json=as_json)
    if answer is None:
        return
    words(answer["text"]["text"])
    console = out()
    console.print(f"[dim]{answer['id']} to {answer['audience']}, {answer['standing']}, text {answer['text_hash']}[/]")
    for one in answer["findings"]:
        word = "[bold]must change[/]" if one["severity"] == "block" else "look again"
        console.print(f"{word}: {escape(one['why'])} {escape(one['suggestion'])}")
    for missing in answer["missing"]:
        console.print(escape(missing))
    if answer["standing"] == "draft" and not answer["blocked"]:
        _next(f"holdfast update approve {incident} {update_id} {answer['text_hash'][:12]}")
    elif answer["standing"] == "approved":
        _next(f'holdfast update send {incident} {update_id} --where "…"')


def closure(incident: Inc, *, as_json: JsonOption = False) -> None:
    """Show what keeps an incident from closing: escalations, gates, who can supply what, the command for it."""
    answer = _read(f"/incidents/{incident}/closure", as_json=as_json)
    if answer is None:
        return
    rows = [(one["id"], one["name"], one["standing"] + (" LATE" if one["late"] else "")) for one in answer["gates"]]
    table(("", "Gate", "State"), rows)
    for gate in answer["gates"]:
        if gate["passes"]:
            continue
        who = ", ".join(f"{one['role'].replace('_', ' ')} ({one['account'] or 'nobody'})" for one in gate["who"])
        out().print(f"[bold]{gate['id']}[/] {escape(' '.join(gate['missing']))} For the {escape(who)}:")
        out().print(f"   [dim]{escape(gate['next_command'])}[/]")
    decided = ", ".join(f"{one['kind']} {one['decision']}" for one in answer["escalations"])
    out().print(f"Escalations: {escape(decided)}.")
    verified = answer["recovery_verified_at"]
    out().print(f"Status {answer['status']}; recovery {'verified ' + verified if verified else 'not verified'}.")
    if answer["status"] != "closed" and not answer["closing_blockers"]:
        _next(f"holdfast close {incident}")


def review(incident: Inc, *, as_json: JsonOption = False) -> None:
    """Show the review: each prompt with its answer, or with what the record would say."""
    answer = _read(f"/incidents/{incident}/review", as_json=as_json)
    if answer is None:
        return
    done = answer["completed_at"]
    state = f"completed {done}" if done else f"{answer['answered']} of {len(answer['prompts'])} answered"
    out().print(f"Review: {state}" + (f", due {answer['due_at']}" if answer["due_at"] and not done else ""))
    for one in answer["prompts"]:
        out().print(f"[bold]{one['id']}[/] {escape(one['question'])}")
        if one["answer"]:
            out().print(f"   {_words(one['answer']['text'])} [dim]{escape(' '.join(one['answer']['citations']))}[/]")
        for said in [] if one["answer"] else one["draft"]:
            out().print(f"   [dim]draft:[/] {escape(said['text'])} [dim]{escape(' '.join(said['citations']))}[/]")
    if answer["started_at"] is None:
        _next(f"holdfast review start {incident}")
    elif not done:
        left = next((one["id"] for one in answer["prompts"] if not one["answer"]), None)
        _next(f'holdfast review answer {incident} {left} "…"' if left else f"holdfast review complete {incident}")


def measures(incident: Inc, *, as_json: JsonOption = False) -> None:
    """Show the measures: distinct instants, each with who asserted it, and the spans between them."""
    answer = _read(f"/incidents/{incident}/measures", as_json=as_json)
    if answer is None:
        return
    table(
        ("Instant", "At", "Basis", "Asserted by"),
        [
            (one["name"], one["at"] or "nobody has said", one["basis"] or "", one["asserted_by"] or "")
            for one in answer["moments"]
        ],
    )
    out().print()
    table(("From", "To", "Took"), [(one["start"], one["end"], _took(one)) for one in answer["spans"]])


def _read(path: str, *, as_json: bool) -> dict[str, Any] | None:
    """The answer, or nothing when it was printed as JSON."""
    answer: dict[str, Any] = run(lambda server: server.request("GET", path), as_json=as_json)
    if as_json:
        print_json(answer)
        return None
    return answer


def _run(one: dict[str, Any]) -> None:
    subject = f": {_words(one['subject'])}" if one["subject"] else ""
    out().print(f"[bold]{one['id']} {escape(one['name'])}[/]{subject}  {one['done']} of {one['total']} steps settled")
    rows = [
        (
            ("▶ " if step["is_next"] else "") + step["id"],
            step["name"],
            step["owner"] or "—",
            step["standing"].replace("_", " "),
            _parts(step["parts"]),
        )
        for step in one["steps"]
    ]
    table(("", "Step", "Owner", "State", "Parts done"), rows)
    for step in one["steps"]:
        if step["at_risk"]:
            names = ", ".join(step["at_risk"])
            out().print(f"[yellow]{step['id']} destroys evidence; not captured yet:[/] {escape(names)}")
        if step["is_next"]:
            _next(step["next_command"])


def _parts(parts: list[dict[str, Any]]) -> str:
    return f"{sum(one['standing'] == 'done' for one in parts)} of {len(parts)}"


def _standing(one: dict[str, Any]) -> str:
    said = str(one["standing"])
    if said == "answered" and not one["clean"]:
        said += f", {one['parts_not_done']} not done" if one["parts_not_done"] else ", outdated"
    return said


def _words(sealed: dict[str, Any] | None) -> str:
    return escape(str(sealed["text"])) if sealed else ""


def _text(claim: dict[str, Any]) -> str:
    return str(claim["text"]["text"])


def _cites(claim: dict[str, Any]) -> str:
    return " ".join(claim["citations"])


def _took(span: dict[str, Any]) -> str:
    seconds = span["seconds"]
    if seconds is None:
        return f"cannot be told: {' and '.join(span['missing'])} missing"
    if span["backwards"]:
        return "runs backwards: one end is wrong"
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if seconds < _MINUTE:
        return f"{seconds} s"
    return " ".join(f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count)


def _next(command: str) -> None:
    if command:
        out().print(f"Next: [bold]{escape(command)}[/]")
