"""``holdfast exposure``: every place a leaked secret got to, and the index that makes the next question quick."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from holdfast.cli import scanning
from holdfast.cli.exposure_incident import hand_in
from holdfast.cli.exposure_rules import (
    AllowOption,
    BaselineOption,
    KeyOption,
    RulesOption,
    Ruling,
    SarifOption,
    WriteOption,
)
from holdfast.cli.exposure_secret import Asking, secrets_of
from holdfast.cli.output import err, fail, out, print_json, settings, table
from holdfast.kernel.errors import BadInputError, HoldfastError

if TYPE_CHECKING:
    from holdfast.app.exposing import Order, Report
    from holdfast.app.ports_exposure import Target
    from holdfast.wiring_exposure import Kit

NAME = "exposure"
WORDS = ("search", "index", "forget", "check", "guard")
"""Commands that start without what only a server needs."""
FOUND = 7
INCOMPLETE = 3
INTERRUPTED = 130
_VISIBILITIES = ("public", "fork-network", "internal", "local", "unknown")
_AGAIN = "holdfast exposure search --secret-stdin"

JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, a line for each place, and a last one")]
TargetsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET…",
        help="repositories, folders, files, archives, exports; addresses of remotes (https://, ssh://, git@…) and "
        "registries (oci://, pypi+https://, npm+https://)",
        show_default=False,
    ),
]
StdinOption = Annotated[bool, typer.Option("--secret-stdin", help="read the secret from standard input")]
DescriptorOption = Annotated[int | None, typer.Option("--secret-fd", metavar="N", help="read it from this descriptor")]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--secret-from",
        metavar="REF",
        help="read it from file:PATH (of your own only), aws-sm:NAME[#KEY][@STAGE] or vault:MOUNT/PATH#KEY",
    ),
]
LinesOption = Annotated[bool, typer.Option("--lines", help="several secrets, one a line")]
NullOption = Annotated[bool, typer.Option("--null", help="several secrets, NUL bytes between them")]
VaultOption = Annotated[
    str | None, typer.Option("--vault", metavar="URL", help="address of the Vault, if not VAULT_ADDR says it")
]
VaultTokenOption = Annotated[
    Path, typer.Option("--vault-token", metavar="FILE", help="file with the token for it, of your own only")
]
IncidentOption = Annotated[str | None, typer.Option(metavar="INC", help="keep the report as evidence of this incident")]
ProcessesOption = Annotated[int, typer.Option(min=0, max=1024, help="processes; 0 is one for each processor")]
VisibilityOption = Annotated[
    str, typer.Option(help=f"who can read the targets: {', '.join(_VISIBILITIES)}", metavar="WHO")
]
PushLogOption = Annotated[
    Path | None, typer.Option("--push-log", metavar="FILE", help="a host's audit log, which tells when it was pushed")
]
CredentialOption = Annotated[
    str | None,
    typer.Option("--credential", metavar="REF", help="credential for registries, in file:PATH or env:NAME"),
]
PlainOption = Annotated[bool, typer.Option("--plain", help="use the reference engine: slower, same answers")]
SparkOption = Annotated[
    str | None,
    typer.Option(
        "--spark",
        metavar="MASTER",
        help="have an Apache Spark cluster walk the packs of repositories: spark://HOST:7077, yarn, k8s://…, local[N]",
    ),
]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="search everything anew and keep nothing")]
LabelOption = Annotated[
    list[str] | None, typer.Option(metavar="TEXT", help="what to call the secret in the report (repeat for several)")
]
FailOption = Annotated[bool, typer.Option("--fail-if-found", help=f"end with status {FOUND} when it is found")]
SecretOption = Annotated[str | None, typer.Option("--secret", hidden=True)]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group of their name."""
    group.command("search")(search)
    group.command("forget")(forget)
    index = typer.Typer(no_args_is_help=True, help="The index of fingerprints: where else, in milliseconds.")
    index.command("add")(index_add)
    index.command("ask")(index_ask)
    index.command("list")(index_list)
    index.command("drop")(index_drop)
    group.add_typer(index, name="index")
    scanning.add_to(group)


def search(  # noqa: PLR0913 - each is an option
    targets: TargetsArgument = None,
    *,
    secret_stdin: StdinOption = False,
    secret_fd: DescriptorOption = None,
    secret_from: FromOption = None,
    lines: LinesOption = False,
    null: NullOption = False,
    vault: VaultOption = None,
    vault_token: VaultTokenOption = Path("~/.vault-token"),
    incident: IncidentOption = None,
    label: LabelOption = None,
    visibility: VisibilityOption = "unknown",
    push_log: PushLogOption = None,
    credential: CredentialOption = None,
    processes: ProcessesOption = 0,
    plain: PlainOption = False,
    no_cache: NoCacheOption = False,
    spark: SparkOption = None,
    rules: RulesOption = False,
    baseline: BaselineOption = None,
    write_baseline: WriteOption = None,
    allow: AllowOption = None,
    fingerprint_key: KeyOption = None,
    sarif: SarifOption = None,
    fail_if_found: FailOption = False,
    as_json: JsonOption = False,
    secret: SecretOption = None,
) -> None:
    """Find every place a leaked secret got to: in every form, in history and archives, and prove where it is not.

    With --rules also what looks like a secret and was never named: each value once, where it came in first.
    Ends with 0 when everything was searched, found or not; 3 when something could not be; 130 when interrupted.
    """
    from holdfast.wiring_exposure import Choices, Kit, aim, quieten  # noqa: PLC0415 - wiring is slow to load

    quieten()
    asking = Asking(secret_stdin, secret_fd, secret_from, lines, null, vault, vault_token, secret)
    ruling = Ruling(rules, baseline, write_baseline, allow, fingerprint_key, sarif)
    try:
        _check(targets, visibility, ruling)
        aimed = aim(targets or (), visibility)  # type: ignore[arg-type]  # it was checked to be one of them
        choices = Choices(processes, plain, not no_cache, push_log, credential, spark=spark)
        kit = Kit(settings(), choices, lambda sentence: _warn([sentence]))
        order = _order(kit, asking, ruling, aimed, label or ())
        report = _searched(kit, order, ruling, as_json=as_json, incident=incident)
        _keep(report, ruling, incident, as_json=as_json)
    except HoldfastError as error:
        fail(error, as_json=as_json)
    raise typer.Exit(_code(report, fail_if_found=fail_if_found))


def _keep(report: Report, ruling: Ruling, incident: str | None, *, as_json: bool) -> None:
    """Write what was asked for beside the answer, and hand it in."""
    ruling.written(report)
    if incident is not None:
        hand_in(incident, report.lines(), as_json=as_json)


def _code(report: Report, *, fail_if_found: bool) -> int:
    if report.interrupted:
        return INTERRUPTED
    if fail_if_found and report.hits:
        return FOUND
    return 0 if report.complete else INCOMPLETE


def forget(*, as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False) -> None:
    """Remove what exposure searches kept: mirrors of remotes, finished units. The index stays: exposure index drop."""
    try:
        kit = _kit()
        units = kit.cache().clear()
        mirrors = sorted(kit.mirrors().glob("*.git"))
        for mirror in mirrors:
            shutil.rmtree(mirror, ignore_errors=True)
        left = [one.name for one in mirrors if one.exists()]
    except HoldfastError as error:
        fail(error, as_json=as_json)
    removed = len(mirrors) - len(left)
    if as_json:
        print_json({"units": units, "mirrors": removed, "left": left})
    else:
        out().print(f"Removed {units:,} finished units and {removed:,} mirrors.")
        for name in left:
            err().print(f"[yellow]not removed[/] {escape(name)}")
    raise typer.Exit(INCOMPLETE if left else 0)


def index_add(
    places: Annotated[list[str], typer.Argument(metavar="REPO…", help="repositories and folders", show_default=False)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> None:
    """Index the tokens of repositories and folders, or what is new in them, as keyed fingerprints."""
    from holdfast.kernel.instants import format_instant  # noqa: PLC0415 - likewise
    from holdfast.wiring_exposure import aim, indexed_units, now  # noqa: PLC0415 - wiring is slow to load

    told: list[dict[str, Any]] = []
    try:
        index = _kit().index()
        for target in aim(places, "unknown"):
            path = Path(target.where).absolute()
            added = index.add(str(path), str(path), indexed_units(path), format_instant(now()))
            told.append({"name": added.head.name, "marks": added.head.count, "new_units": added.new_units})
            if not as_json:
                out().print(f"{escape(added.head.name)}: {added.head.count:,} fingerprints")
    except HoldfastError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(told)
    else:
        out().print("[bold]Next:[/] holdfast exposure index ask --secret-stdin")


def index_ask(
    *,
    secret_stdin: StdinOption = False,
    secret_fd: DescriptorOption = None,
    secret_from: FromOption = None,
    lines: LinesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> None:
    """Ask where a secret probably is, in milliseconds. What is not named here is not clean: search proves it."""
    from holdfast.wiring_exposure import quieten, shield  # noqa: PLC0415 - wiring is slow to load

    quieten()
    try:
        secrets = secrets_of(Asking(secret_stdin, secret_fd, secret_from, lines))
        _warn(shield(secrets, ()).warnings)
        asked = _kit().index().ask(secrets)
    except HoldfastError as error:
        fail(error, as_json=as_json)
    names = [head.name for head, _ in asked.probable]
    if as_json:
        told = [{"name": head.name, "secrets": [*numbers], "made": head.made} for head, numbers in asked.probable]
        more = {"places": asked.places, "not_asked": [*asked.not_asked], "unusable": [*asked.unusable]}
        print_json({"probable": told, **more})
        return
    for head, _ in asked.probable:
        out().print(f"probably in [bold]{escape(head.name)}[/] [dim](as of {head.made})[/]")
    out().print(f"Asked {asked.places:,} places; {len(names):,} probably hold it. The rest is not proven clean.")
    if asked.not_asked:
        out().print("The index cannot know this secret: it has no run of 16 letters and digits.")
    for name in asked.unusable:
        err().print(f"[yellow]not asked[/] {escape(name)}: it is damaged or of another key")
    out().print(f"[bold]Next:[/] {_AGAIN} {escape(names[0] if names else 'TARGET')}")


def index_list(*, as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False) -> None:
    """List what is indexed."""
    try:
        heads = _kit().index().places()
    except HoldfastError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json([head.as_json() for head in heads])
    else:
        rows = [(head.name, f"{head.count:,}", f"{len(head.units):,}", head.made) for head in heads]
        table(("Place", "Fingerprints", "Units", "As of"), rows)


def index_drop(
    places: Annotated[list[str], typer.Argument(metavar="REPO…", help="as index list names them", show_default=False)],
) -> None:
    """Forget places of the index."""
    try:
        index = _kit().index()
        for place in places:
            index.drop(str(Path(place).absolute()))
    except HoldfastError as error:
        fail(error)


def _kit() -> Kit:
    from holdfast.wiring_exposure import Kit  # noqa: PLC0415 - wiring is slow to load

    return Kit(settings())


def _check(targets: Sequence[str] | None, visibility: str, ruling: Ruling) -> None:
    ruling.check()
    if visibility not in _VISIBILITIES:
        raise BadInputError(
            "visibility-unknown",
            "Nothing was searched.",
            why=f"--visibility is none of {', '.join(_VISIBILITIES)}.",
            next_step=f"{_AGAIN} --visibility internal TARGET",
        )
    if not targets:
        raise BadInputError(
            "nothing-to-search",
            "Nothing was searched.",
            why="No target was named.",
            next_step=f"{_AGAIN} FOLDER",
        )


def _order(kit: Kit, asking: Asking, ruling: Ruling, targets: Sequence[Target], labels: Sequence[str]) -> Order:
    from holdfast.app.exposing import Order  # noqa: PLC0415 - few commands need it
    from holdfast.exposure.query import KNOWN_NOT_SEARCHED  # noqa: PLC0415 - likewise
    from holdfast.wiring_exposure import shield  # noqa: PLC0415 - likewise

    secrets = secrets_of(asking) if asking.named or not ruling.rules else ()
    query = ruling.query(secrets)
    _warn(shield(secrets, query.anchors).warnings)
    for number, target in enumerate(targets, 1):
        if query.redact(target.where) != target.where:
            raise BadInputError(
                "secret-in-arguments",
                "Nothing was searched.",
                why=f"TARGET number {number} has the secret in its name, so it is now in the shell's history and was "
                "in the process table.",
                next_step=f"Name the folder above it: {_AGAIN} FOLDER",
            )
    named = kit.named(secrets, labels)
    for one in named:
        err().print(f"Searching for {escape(one.label or 'a secret')}, fingerprint {one.fingerprint}.")
    missed = KNOWN_NOT_SEARCHED if secrets else frozenset[str]()
    return Order(tuple(targets), query, named, query.forms(), missed, ruling.passing())


def _searched(kit: Kit, order: Order, ruling: Ruling, *, as_json: bool, incident: str | None) -> Report:
    from holdfast.app import exposing  # noqa: PLC0415 - few commands need it
    from holdfast.cli.exposure_telling import (  # noqa: PLC0415 - likewise
        JsonTelling,
        PeopleTelling,
        SilentTelling,
        Telling,
    )

    telling: Telling = SilentTelling() if ruling.sarif == "-" else JsonTelling() if as_json else PeopleTelling()
    # Whoever ends it by a signal gets a last line as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = exposing.search(order, kit.means(), telling)
    again = _AGAIN if order.secrets else "holdfast exposure search --rules"
    telling.end(report, _next(report, again, incident))
    return report


def _next(report: Report, again: str, incident: str | None) -> str:
    if report.interrupted:
        return f"run it again: what was finished is kept and comes at once: {again} TARGET"
    if not report.complete:
        return f"make readable what is named above, then run it again: {again} TARGET"
    if incident is not None:
        return f"holdfast exposure list {incident}"
    if report.hits and all(hit.unknown for hit in report.hits):
        return (
            f"rotate what is one; to allow what is none, give its fingerprint and a reason: {again} --allow FILE TARGET"
        )
    if report.hits:
        return f"rotate the secret, then keep this as evidence: {again} --incident INC TARGET"
    return f"search what is not named here yet (remotes, registries, exports, backups): {again} TARGET"


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        err().print(f"[yellow]Mind:[/] {escape(warning)}")
