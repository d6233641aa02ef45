"""``holdfast investigate``: the seven questions over files and folders, or over an incident's captured items."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast.app.investigating import Order, investigate
from holdfast.app.investigation_files import write_files
from holdfast.app.investigation_report import as_json as report
from holdfast.app.ports_investigation import Source
from holdfast.cli.output import err, fail, out, print_json, run
from holdfast.cli.probing import Looks, prepare
from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError
from holdfast.kernel.instants import parse_instant

JsonOption = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]
_SHOWN = 5


PathsArgument = Annotated[list[Path] | None, typer.Argument(metavar="PATH…", help="files and folders to read")]
IncidentOption = Annotated[
    str | None, typer.Option(metavar="INC", help="read the items captured in this incident, and keep the result")
]
SubjectOption = Annotated[
    list[str] | None, typer.Option(help="credential, identity or artifact asked about (repeat for several)")
]
FromOption = Annotated[str | None, typer.Option("--from", help="start of the window, such as 2026-11-23T02:30Z")]
ToOption = Annotated[str | None, typer.Option("--to", help="end of the window")]
ResponderOption = Annotated[
    list[str] | None, typer.Option(help="identity or credential of our own people (repeat for several)")
]
ClockOption = Annotated[
    list[str] | None,
    typer.Option(help="how far a source's clock is ahead, SOURCE=MILLISECONDS, for the timeline (repeat)"),
]
EngineOption = Annotated[str, typer.Option(help="duckdb (embedded) or spark (for estates)")]
UnprovenOption = Annotated[
    list[str] | None, typer.Option(help="also use this reader, which no real data has proven (repeat)")
]
MapOption = Annotated[
    Path | None, typer.Option("--map", help="TOML file that maps columns of an unknown JSON or CSV log")
]
SigmaOption = Annotated[Path | None, typer.Option(help="folder with your own copy of Sigma rules")]
ExportOption = Annotated[
    Path | None, typer.Option(help="folder to write the timeline (CSV, Timesketch) and the pictures (SVG) to")
]
KeepOption = Annotated[
    Path | None, typer.Option(help="folder to keep the activity table in, for holdfast sql --table FOLDER")
]
ProbeOption = Annotated[
    list[str] | None,
    typer.Option(help="look, read-only, whether it is still open: aws, aws:PROFILE, or an address (repeat)"),
]
RepositoryOption = Annotated[
    list[Path] | None,
    typer.Option(help="look whether the secret given on standard input is in this repository's HEAD (repeat)"),
]
SuspectOption = Annotated[
    str | None,
    typer.Option(help="sign in with this suspect access key, its secret on standard input; needs --probe-order"),
]
OrderOption = Annotated[str | None, typer.Option(help="the recorded order to use the suspect key, such as #17")]
RowsOption = Annotated[int, typer.Option(min=1, max=100_000, help="rows of one query that an answer carries")]


def investigate_command(  # noqa: PLR0913 - each is an option
    paths: PathsArgument = None,
    *,
    incident: IncidentOption = None,
    subject: SubjectOption = None,
    start: FromOption = None,
    end: ToOption = None,
    responder: ResponderOption = None,
    clock: ClockOption = None,
    engine: EngineOption = "duckdb",
    unproven: UnprovenOption = None,
    mapping: MapOption = None,
    sigma: SigmaOption = None,
    export: ExportOption = None,
    keep: KeepOption = None,
    probe: ProbeOption = None,
    repository: RepositoryOption = None,
    suspect_key: SuspectOption = None,
    probe_order: OrderOption = None,
    rows: RowsOption = 500,
    as_json: JsonOption = False,
) -> None:
    """Answer the seven questions from logs and captured state: who, what, since when, and what cannot be told."""
    try:
        _check(paths, incident)
        if incident is not None:
            _alone_only(engine != "duckdb", unproven, mapping, sigma, export, keep, probe, repository, suspect_key)
            body = {"subjects": subject or [], "from": start, "to": end, "responders": responder or []}
            _within(incident, {**body, "clock_offsets_ms": _offsets(clock)}, as_json=as_json)
            return
        order = Order(
            sources=tuple(Source(_found(path), str(path)) for path in paths or ()),
            subjects=tuple(subject or ()),
            from_us=_instant(start),
            to_us=_instant(end),
            responders=tuple({"value": value} for value in responder or ()),
            clock_offsets_ms=_offsets(clock),
            rows=rows,
        )
        looks = Looks(tuple(probe or ()), tuple(repository or ()), suspect_key, probe_order)
        order, probes = prepare(order, looks)
        options = {"engine": engine, "unproven": frozenset(unproven or ()), "mapping": mapping, "sigma": sigma}
        _alone(order, {**options, "probes": probes}, export=export, keep=keep, as_json=as_json)
    except HoldfastError as error:
        fail(error, as_json=as_json)


def _within(incident: str, body: Mapping[str, Any], *, as_json: bool) -> None:
    told = run(
        lambda server: server.request("POST", f"/incidents/{incident}/investigation", body=body), as_json=as_json
    )
    _tell(told, as_json=as_json)
    if not as_json:
        out().print(f"[bold]Next:[/] holdfast question adopt {incident} I1 --evidence {told['evidence_id']}")


def _alone(order: Order, options: Mapping[str, Any], *, export: Path | None, keep: Path | None, as_json: bool) -> None:
    from holdfast.wiring import investigation_means  # noqa: PLC0415 - wiring imports everything

    for folder in (keep, export):
        if folder is not None:
            _fresh(folder)
    with tempfile.TemporaryDirectory(prefix="holdfast-") as scratch:
        folder = keep or Path(scratch)
        found = investigate(order, investigation_means(**options, progress=_progress), folder)
        try:
            _end_progress()
            told = report(found)
            if export is not None:
                (export / "answers.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
                write_files(found, export)
            if keep is not None:
                found.keep(keep)
        finally:
            found.close()
    _tell(told, as_json=as_json)
    if keep is not None and not as_json:
        out().print(f"[bold]Next:[/] holdfast sql --table {escape(str(keep))} --list")


def _tell(told: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    _tell_inputs(told["inputs"])
    for question, answer in told["answers"].items():
        out().print()
        out().print(f"[bold]{question}[/] {escape(answer['sentence'])}")
        for one in answer["findings"]:
            if one["total"] or one["standing"] == "cannot_tell":
                mark = "?" if one["standing"] == "cannot_tell" else "•"
                out().print(f"  {mark} {escape(one['sentence'])}")
        _tell_rows(answer["rows"])
        for change in answer["would_change"][:3]:
            out().print(f"  [dim]Would change it: {escape(change)}[/]")
    out().print()
    out().print(f"As of {told['as_of'] or 'an unknown time'}; every row with its citation: add --json.")


def _tell_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows[:_SHOWN]:
        citation = row["citation"]
        place = "" if citation is None else f"  [dim]{escape(_place(citation))}[/]"
        out().print(f"    {escape(row['what'])}{place}")
    if len(rows) > _SHOWN:
        out().print(f"    [dim]… and {len(rows) - _SHOWN:,} more rows[/]")


def _tell_inputs(inputs: Mapping[str, Any]) -> None:
    files = inputs["files"]
    out().print(
        f"Read {inputs['records']:,} records in {len(files):,} files: {inputs['rows']:,} rows, "
        f"{inputs['duplicates']:,} duplicates, {inputs['quarantined']:,} not readable."
    )
    faulty = [one for one in files if one["quarantined"]]
    for one in faulty[:10]:
        err().print(f"  [yellow]not read[/] {escape(one['path'])}: {escape(one['reason'] or '')}")
    if len(faulty) > 10:  # noqa: PLR2004 - as many as are shown above
        err().print(f"  and {len(faulty) - 10:,} more files; all of them: --json")


def _place(citation: Mapping[str, Any]) -> str:
    return f"{citation.get('item') or Path(citation['file']).name}#{citation['record']}"


def _alone_only(*given: object) -> None:
    """Refuse, rather than pass over, options that an investigation inside an incident does not have."""
    if any(given):
        raise BadInputError(
            "option-without-incident-only",
            "Nothing was read.",
            why="With --incident the server reads the captured items with its own means: --engine, --unproven, --map, "
            "--sigma, --export, --keep, --probe, --repository and --suspect-key work on files only.",
            next_step="Leave them out, or investigate copies of the files: holdfast investigate PATH",
        )


def _offsets(given: list[str] | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in given or ():
        source, _, number = text.partition("=")
        try:
            found[source] = int(number)
        except ValueError:
            raise BadInputError(
                "clock-not-understood",
                "Nothing was read.",
                why=f"{text[:60]} is not SOURCE=MILLISECONDS.",
                next_step="Write it like --clock okta.system=1500 for a clock that is 1.5 seconds ahead.",
            ) from None
    return found


def _check(paths: list[Path] | None, incident: str | None) -> None:
    if incident is None and not paths:
        raise BadInputError(
            "nothing-to-investigate",
            "Nothing was read.",
            why="Neither a path nor an incident was named.",
            next_step="holdfast investigate FOLDER   or: holdfast investigate --incident INC",
        )
    if incident is not None and paths:
        raise BadInputError(
            "investigate-captured-only",
            "Nothing was read.",
            why="An incident is investigated from its captured items, so that every answer cites evidence.",
            next_step=f"Capture first: holdfast capture {incident} {paths[0]}   "
            f"then: holdfast investigate --incident {incident}",
        )


def _found(path: Path) -> Path:
    if not path.exists():
        raise NotFoundError(
            "source-not-found",
            f"{path} was not read.",
            why="There is no such file or folder.",
            next_step="Check the path: holdfast investigate PATH",
        )
    return path


def _fresh(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BadInputError(
            "folder-not-empty",
            "Nothing was read.",
            why=f"{folder} is not empty, and an activity table is not mixed with other files.",
            next_step="Name a new folder: holdfast investigate PATH --keep FOLDER",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    moment: datetime = parse_instant(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        share = f"{done * 100 // total:3d} %" if total else ""
        sys.stderr.write(f"\r\x1b[K{share} {what}"[:120])
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
