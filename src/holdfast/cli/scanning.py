"""``holdfast exposure check`` and ``guard``: nothing that leaked comes back, and no new secret gets in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from holdfast import __version__
from holdfast.cli.exposure_secret import Asking, secrets_of
from holdfast.cli.output import err, fail, out, print_json, settings
from holdfast.kernel.errors import BadInputError, HoldfastError, UnavailableError

if TYPE_CHECKING:
    from holdfast.exposure.baseline import AllowList, Baseline
    from holdfast.exposure.checking import Check, Item, Removed, Report
    from holdfast.exposure.results import Fault
    from holdfast.wiring_exposure import StagedRepository

FOUND = 7
INCOMPLETE = 3
_RULE_FILE = ".holdfast/leaked.toml"
_BASELINE_FILE = ".holdfast/baseline.toml"
_ALLOW_FILE = ".holdfast/allow.toml"
_AGAIN = "holdfast exposure check"

PathsArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="PATH…", help="files and folders to check", show_default=False)
]
StagedOption = Annotated[bool, typer.Option("--staged", help="check what the next commit would bring in")]
RangeOption = Annotated[
    str | None,
    typer.Option("--range", metavar="A..B", help="check what each commit of B that is not in A brings in"),
]
RepositoryOption = Annotated[Path, typer.Option("--repository", metavar="REPO", help="repository of --staged, --range")]
RulesOption = Annotated[bool, typer.Option("--rules", help="also refuse what looks like a secret that nobody named")]
BaselineOption = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help=f"what is known already; {_BASELINE_FILE} if it is there"),
]
WriteOption = Annotated[
    Path | None, typer.Option("--write-baseline", metavar="FILE", help="write what is found as a baseline, and pass")
]
AllowOption = Annotated[
    Path | None, typer.Option("--allow", metavar="FILE", help=f"what is allowed; {_ALLOW_FILE} if it is there")
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--fingerprint-key", metavar="FILE", help="private file with the key a team shares, instead of your own"
    ),
]
SarifOption = Annotated[
    str | None, typer.Option("--sarif", metavar="FILE", help="write SARIF 2.1.0 to this file, - for standard output")
]
PlainOption = Annotated[bool, typer.Option("--plain", help="use the reference engine: slower, same answers")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, a line for each finding, and a last one")]


@dataclass(frozen=True, slots=True)
class _Lists:
    """What is known and allowed, and what of it has run out."""

    baseline: Baseline | None
    allowed: AllowList
    expired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to check, and how."""

    paths: tuple[Path, ...]
    span: str | None
    repository: Path
    rules: bool
    plain: bool
    baseline: Path | None
    allow: Path | None
    key: Path | None


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group ``exposure``."""
    group.command("check")(check)
    guard = typer.Typer(no_args_is_help=True, help="Guards in repositories: a value that leaked never comes back.")
    guard.command("install")(guard_install)
    group.add_typer(guard, name="guard")


def check(  # noqa: PLR0913 - each is an option
    paths: PathsArgument = None,
    *,
    staged: StagedOption = False,
    span: RangeOption = None,
    repository: RepositoryOption = Path(),
    rules: RulesOption = False,
    baseline: BaselineOption = None,
    write_baseline: WriteOption = None,
    allow: AllowOption = None,
    fingerprint_key: KeyOption = None,
    sarif: SarifOption = None,
    plain: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Refuse contents that hold a value which leaked before, or with --rules any secret: before a commit, and in CI.

    Ends with 7 when something is refused, 3 when something could not be read, 0 when everything was and is clean.
    A line with holdfast:allow REASON passes. Archives are not opened: holdfast exposure search does.
    """
    asked = _Asked(tuple(paths or ()), span, repository, rules, plain, baseline, allow, fingerprint_key)
    try:
        _one_of(staged, span, paths)
        report, lists, key = _checked(asked)
        if write_baseline is not None:
            _write_baseline(write_baseline, report, key)
        if sarif is not None:
            _write_sarif(sarif, report, with_baseline=lists.baseline is not None)
    except HoldfastError as error:
        fail(error, as_json=as_json)
    refused = [one for one in report.refused if write_baseline is None or one.rule == "leaked-value"]
    if sarif != "-":
        _tell(report, lists.expired, as_json=as_json, refused=len(refused))
    raise typer.Exit(FOUND if refused else 0 if report.complete else INCOMPLETE)


def guard_install(  # noqa: PLR0913 - each is an option
    repository: Annotated[Path, typer.Argument(metavar="REPO", help="work tree of the repository", show_default=False)],
    *,
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="read the secret from standard input")] = False,
    secret_fd: Annotated[
        int | None, typer.Option("--secret-fd", metavar="N", help="read it from this descriptor")
    ] = None,
    secret_from: Annotated[
        str | None,
        typer.Option(
            "--secret-from", metavar="REF", help="read it from file:PATH, aws-sm:NAME or vault:MOUNT/PATH#KEY"
        ),
    ] = None,
    incident: Annotated[str, typer.Option(metavar="INC", help="the incident that it leaked in")] = "",
    pre_commit_config: Annotated[
        bool, typer.Option("--pre-commit-config", help="also write .pre-commit-config.yaml, if there is none")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> None:
    """Guard a repository: whoever commits the value that leaked, as it is or encoded, is refused.

    Writes .holdfast/leaked.toml, which holds salted scrypt fingerprints and no character of the value, and a hook.
    """
    from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - slow to load

    wiring.quieten()
    try:
        secrets = secrets_of(Asking(secret_stdin, secret_fd, secret_from))
        for warning in wiring.shield(secrets, ()).warnings:
            err().print(f"[yellow]Mind:[/] {escape(warning)}")
        placed = [wiring.guard(repository, secret, incident=incident) for secret in secrets]
        config = wiring.pre_commit_config(repository) if pre_commit_config else None
    except HoldfastError as error:
        fail(error, as_json=as_json)
    last = placed[-1]
    if as_json:
        told = {"rule_file": str(last.rule_file), "rules": [one.entry.name for one in placed]}
        hook = None if last.hook is None else str(last.hook)
        print_json({**told, "hook": hook, "notes": [*last.notes], "config": None if config is None else str(config)})
        return
    names = ", ".join(one.entry.name for one in placed)
    out().print(f"Guarded by {escape(names)} in {escape(str(last.rule_file))}: tried on the value, it is caught.")
    for written in (last.hook, config):
        if written is not None:
            out().print(f"Asks before a commit: {escape(str(written))}")
    for note in last.notes:
        err().print(f"[yellow]Mind:[/] {escape(note)}")
    out().print(f'In CI, with the full history fetched: {_AGAIN} --range "$BASE..$HEAD" --rules')
    out().print(f"[bold]Next:[/] commit {_RULE_FILE}, so that everybody is asked: git add {_RULE_FILE}")


def _one_of(staged: bool, span: str | None, paths: Sequence[Path] | None) -> None:  # noqa: FBT001 - an option's value
    if staged + (span is not None) + bool(paths) != 1:
        raise BadInputError(
            "check-one-thing",
            "Nothing was checked.",
            why="A check looks at what is staged, at a range of commits, or at paths: at one of them.",
            next_step=f"{_AGAIN} --staged   or: {_AGAIN} --range main..HEAD   or: {_AGAIN} PATH --rules",
        )
    if span is not None and ".." not in span:
        raise BadInputError(
            "range-not-understood",
            "Nothing was checked.",
            why=f"{span[:60]} is not A..B.",
            next_step=f"{_AGAIN} --range main..HEAD",
        )


def _checked(asked: _Asked) -> tuple[Report, _Lists, bytes]:
    from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - slow to load

    key = wiring.fingerprint_key(settings(), asked.key)
    with ExitStack() as stack:
        repository: StagedRepository | None = None
        if not asked.paths:
            repository = stack.enter_context(wiring.staged_repository(asked.repository))
        lists = _lists(asked, key, None if repository is None else repository.top)
        looked = _check(asked, key, lists, _rule_files(asked, repository))
        items, removed = _items(asked, repository, looked.window)
        return looked.run(items, removed), lists, key


def _items(asked: _Asked, repository: StagedRepository | None, window: int) -> tuple[Iterator[Item | Fault], Removed]:
    from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - likewise

    if repository is None:
        return wiring.file_items(asked.paths, window), lambda _: ()
    if asked.span is not None:
        return repository.between(asked.span, window), repository.removed
    return repository.staged(window), repository.removed


def _check(asked: _Asked, key: bytes, lists: _Lists, files: Mapping[str, bytes]) -> Check:
    from holdfast.exposure.checking import Check  # noqa: PLC0415 - numpy is slow to load
    from holdfast.exposure.formats import shipped  # noqa: PLC0415 - likewise
    from holdfast.exposure.leaked import LeakedMatcher, joined, parse  # noqa: PLC0415 - likewise
    from holdfast.exposure.rules import RuleMatcher  # noqa: PLC0415 - likewise

    leaked = joined(parse(data.decode("utf-8", "replace")) for data in files.values())
    if not leaked and not asked.rules:
        raise BadInputError(
            "nothing-to-check-for",
            "Nothing was checked.",
            why=f"There is no {_RULE_FILE} of values that leaked, and --rules was not given.",
            next_step=f"{_AGAIN} --staged --rules   or: holdfast exposure guard install REPO --secret-stdin",
        )
    rules = RuleMatcher(shipped(), key, plain=asked.plain) if asked.rules else None
    return Check(key, rules, tuple(map(LeakedMatcher, leaked)), lists.baseline, lists.allowed)


def _rule_files(asked: _Asked, repository: StagedRepository | None) -> Mapping[str, bytes]:
    """Every version of the rule file that counts: whoever takes a rule out is checked by it once more."""
    if repository is not None:
        return repository.documents(_RULE_FILE, asked.span)
    found: dict[str, bytes] = {}
    for path in asked.paths:
        start = path.resolve()
        for folder in (start, *start.parents):
            file = folder / _RULE_FILE
            if file.is_file():
                found[str(file)] = file_bytes(file)
                break
    return found


def _lists(asked: _Asked, key: bytes, top: Path | None) -> _Lists:
    from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - slow to load
    from holdfast.exposure.baseline import AllowList, read_allow_list, read_baseline  # noqa: PLC0415 - few need it

    known, allowed = _named(asked.baseline, top, _BASELINE_FILE), _named(asked.allow, top, _ALLOW_FILE)
    base = None if known is None else read_baseline(file_bytes(known).decode("utf-8", "replace"), key, wiring.now())
    may = (
        None if allowed is None else read_allow_list(file_bytes(allowed).decode("utf-8", "replace"), key, wiring.now())
    )
    return _Lists(
        baseline=None if base is None else base.baseline,
        allowed=AllowList() if may is None else may.allowed,
        expired=(*(base.expired if base else ()), *(may.expired if may else ())),
    )


def _named(given: Path | None, top: Path | None, name: str) -> Path | None:
    if given is not None or top is None:
        return given
    return top / name if (top / name).is_file() else None


def file_bytes(path: Path) -> bytes:
    """What a file holds, or the refusal of a check that cannot read it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(
            "check-file-unreadable",
            "Nothing was checked.",
            why=f"{path} cannot be read: {error.strerror or type(error).__name__}.",
            next_step=f"Check the path: {_AGAIN} --staged --baseline FILE",
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a file, or tell that what was found could not be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnavailableError(
            "check-file-not-written",
            "The check was made, and its result was not written.",
            why=f"{path} cannot be written: {error.strerror or type(error).__name__}.",
            next_step=f"Name another file: {_AGAIN} --staged --sarif FILE",
        ) from None


def _write_baseline(path: Path, report: Report, key: bytes) -> None:
    from holdfast.exposure.baseline import baseline_of  # noqa: PLC0415 - few need it

    write_text(path, baseline_of(report.entries(), key).text())


def _write_sarif(file: str, report: Report, *, with_baseline: bool) -> None:
    from holdfast.exposure.formats import shipped  # noqa: PLC0415 - few need it
    from holdfast.exposure.sarif import sarif  # noqa: PLC0415 - likewise

    text = json.dumps(sarif(report, shipped(), version=__version__, with_baseline=with_baseline), indent=2) + "\n"
    if file == "-":
        sys.stdout.write(text)
    else:
        write_text(Path(file), text)


def _tell(report: Report, expired: Iterable[str], *, as_json: bool, refused: int) -> None:
    states = {state: sum(one.state == state for one in report.findings) for state in ("new", "known", "allowed")}
    if as_json:
        _tell_json(report, [*expired], {**states, "refused": refused})
        return
    for one in report.findings:
        where = f"{one.path}:{one.line}" if one.path else "the commit's message or author"
        within = f" in {one.commit[:12]}" if one.commit else ""
        mark = {"new": "[bold red]refused[/]", "known": "[dim]known[/]", "allowed": "[dim]allowed[/]"}[one.state]
        spelled = "" if one.form == "raw" else f", as {one.form}"
        note = f" ({one.note})" if one.note else ""
        told = f"{where}{within}: {one.rule}, {one.length}{spelled}, fingerprint {one.fingerprint}{note}"
        out().print(f"{mark} {escape(told)}")
    for fault in report.faults:
        err().print(f"[yellow]not read[/] {escape(f'{fault.target}: {fault.where}: {fault.reason}')}")
    for entry in expired:
        err().print(f"[yellow]no longer allowed[/] {escape(entry)}: its day has passed")
    whole = "" if report.complete else " The check is incomplete."
    out().print(
        f"Checked {report.items:,} contents: {refused:,} refused, {states['known']:,} known, "
        f"{states['allowed']:,} allowed.{whole}"
    )
    if refused:
        out().print("[bold]Next:[/] take it out and rotate it; what is no secret passes with: holdfast:allow REASON")


def _tell_json(report: Report, expired: Sequence[str], counts: Mapping[str, int]) -> None:
    from holdfast.exposure.checking import finding_json  # noqa: PLC0415 - few need it

    for one in report.findings:
        typer.echo(json.dumps(finding_json(one), ensure_ascii=True))
    for fault in report.faults:
        typer.echo(json.dumps(fault.as_json(), ensure_ascii=True))
    last = {"kind": "end", "complete": report.complete, "items": report.items, "bytes": report.size, **counts}
    typer.echo(json.dumps({**last, "expired": [*expired]}, ensure_ascii=True))
