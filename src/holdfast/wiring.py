"""The only module that knows every concrete class: it builds the application for a start."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from holdfast.app import commands
from holdfast.app.application import Application
from holdfast.app.bus import Bus
from holdfast.app.dispatching import Dispatcher
from holdfast.app.erasing import ERASING, carry_out
from holdfast.app.exposing import Means as ExposureMeans
from holdfast.app.exposures import Exposures
from holdfast.app.inquiries import Inquiries
from holdfast.app.installation_work import InstallationTools
from holdfast.app.investigating import TABLES, Means
from holdfast.app.pins import PinnedDocuments
from holdfast.app.ports_investigation import Ask, Engine, Progress
from holdfast.app.ports_probing import Probe
from holdfast.app.settings import Settings
from holdfast.app.signing_in import SigningIn, Site
from holdfast.app.states import States
from holdfast.app.work import Tools
from holdfast.engines.commands import CommandRunner
from holdfast.investigation.library import library as questions
from holdfast.investigation.mapping_document import mapped_from
from holdfast.investigation.sigma import Refused
from holdfast.kernel.errors import BadInputError, NotFoundError
from holdfast.kernel.events import Event
from holdfast.kernel.ids import RANDOM_BYTES, uuid7
from holdfast.kernel.secrets import SecretValue
from holdfast.plays.library import library as plays
from holdfast.store.credentials import SqlCredentials
from holdfast.store.database import Databases, open_databases, sqlite_url
from holdfast.store.keyring import Keyring
from holdfast.store.objects import FilesystemVault
from holdfast.store.record import SqlRecord
from holdfast.store.signing import FileSigner
from holdfast.store.texts import SealedTexts

_INVESTIGATIONS = "investigations"
"""Folder below the data folder for what investigations derive from evidence."""
_EXPOSURES = "exposures"
"""Folder below the data folder for what exposure searches write while they run."""


def command_runner() -> CommandRunner:
    """What runs a command for capture on this machine."""
    return CommandRunner()


def investigation_means(
    engine: str = "duckdb",
    *,
    unproven: frozenset[str] = frozenset(),
    mapping: Path | None = None,
    sigma: Path | None = None,
    probes: Sequence[Probe] = (),
    progress: Progress | None = None,
) -> Means:
    """What reads logs, runs the library's SQL and the user's own rules, and looks at what may still be open.

    Raises:
        BadInputError: there is no such engine, or the mapping cannot be read.
        UnavailableError: the engine needs something that is not installed.
    """
    from holdfast.engines.ingest import ParquetIngest  # noqa: PLC0415 - Arrow is slow to load, and few starts need it

    mapped = None if mapping is None else mapped_from(_mapping(mapping))
    ingest = ParquetIngest(now_us, unproven=unproven, mapping=mapped)
    return Means(ingest, engine_opener(engine), probes, None if sigma is None else _sigma(sigma), progress)


def _sigma(folder: Path) -> Callable[[Engine], tuple[list[dict[str, Any]], list[Refused]]]:
    from holdfast.engines.sigma import hits, sigma_rules  # noqa: PLC0415 - an extra, and slow to load

    rules = sigma_rules(folder)
    return lambda engine: hits(engine, rules)


def asker(folder: Path) -> Ask:
    """What answers questions in SQL over the kept folder of a run.

    Raises:
        NotFoundError: the folder holds no kept tables.
    """
    from holdfast.engines.asking import Asker  # noqa: PLC0415 - few starts need it

    tables: dict[str, Sequence[Path]] = {one.stem: (one,) for one in sorted((folder / TABLES).glob("*.parquet"))}
    parts = sorted((folder / "parts").rglob("*.parquet"))
    if not tables and not parts:
        raise NotFoundError(
            "table-not-found",
            "The question was not asked.",
            why=f"{folder} holds no activity table.",
            next_step="Make one: holdfast investigate PATH --keep FOLDER",
        )
    return Asker({**tables, "activity": parts} if parts else tables)


def now_us() -> int:
    """The clock of probes and ingests: microseconds since 1970 UTC."""
    return int(utc_now().timestamp() * 1_000_000)


def aws_probe(profile: str | None) -> Probe:
    """What looks at an AWS account through an administrator's profile; the usual environment names it when left out.

    Raises:
        UnavailableError: the library that talks to AWS is not installed.
    """
    from holdfast.connectors.aws import open_session  # noqa: PLC0415 - an extra
    from holdfast.connectors.aws.probing import AwsProbe  # noqa: PLC0415 - likewise

    return AwsProbe(open_session(profile), now_us)


def suspect_probe(key: str, secret: SecretValue, order: str | None) -> Probe:
    """What signs in with the suspect credential itself, on a recorded order.

    Raises:
        RefusedError: no order is named.
        UnavailableError: the library that talks to AWS is not installed.
    """
    from holdfast.connectors.aws import open_session_of  # noqa: PLC0415 - an extra
    from holdfast.connectors.aws.probing import SuspectCredentialProbe  # noqa: PLC0415 - likewise

    return SuspectCredentialProbe(open_session_of(key, secret), now_us, order)


def endpoint_probe() -> Probe:
    """What looks whether an address answers."""
    from holdfast.engines.probing_endpoint import EndpointProbe  # noqa: PLC0415 - only who asks needs it

    return EndpointProbe(now_us)


def git_probe(folders: Mapping[str, Path], needles: Mapping[str, bytes]) -> Probe:
    """What looks whether a secret is in the present version of local repositories."""
    from holdfast.engines.probing_git import GitProbe  # noqa: PLC0415 - only who asks needs it

    return GitProbe(folders, now_us, needles)


def _mapping(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(
            "mapping-unreadable",
            "Nothing was read.",
            why=f"The mapping {path.name} cannot be read as TOML: {type(error).__name__}.",
            next_step="Correct it; docs/investigation/sources.md shows one.",
        ) from None


def engine_opener(engine: str) -> Callable[[Path], Engine]:
    """What opens an engine by name.

    Raises:
        BadInputError: there is no such engine.
    """
    if engine == "duckdb":
        from holdfast.engines.duck import DuckEngine  # noqa: PLC0415 - likewise

        return DuckEngine
    if engine == "spark":
        from holdfast.engines.spark import SparkEngine  # noqa: PLC0415 - an extra, and slow to load

        return SparkEngine
    raise BadInputError(
        "engine-unknown",
        "Nothing was read.",
        why=f"There is no engine {engine[:40]!r}.",
        next_step="Use the embedded one: holdfast investigate PATH --engine duckdb",
    )


def utc_now() -> datetime:
    """The clock of a running installation."""
    return datetime.now(UTC)


def build(
    settings: Settings, *, clock: Callable[[], datetime] = utc_now, randomness: Callable[[int], bytes] = os.urandom
) -> Application:
    """Open everything and put it together; finishes erasures that a crash interrupted."""
    commands.declare_all()
    keyring, databases, signer = _open(settings)
    texts = SealedTexts(databases)
    record = SqlRecord(databases, texts, signer, uuid7(clock(), randomness(RANDOM_BYTES)))
    vault = FilesystemVault(settings.data / "objects")
    states = States(record)
    tools = Tools(
        record=record,
        texts=texts,
        documents=PinnedDocuments(record, library()),
        vault=vault,
        signer=signer,
        clock=clock,
        randomness=randomness,
        people=states.installation,
        default_calendar=settings.calendar,
    )

    def rotate() -> tuple[str, str]:
        previous = signer.key.vkey()
        return previous, signer.rotate().vkey()

    def after_commit(stream_id: str, events: tuple[Event, ...]) -> None:
        if any(event.type in ERASING for event in events):
            carry_out(record, texts, vault, states.incident(stream_id), events)
            shutil.rmtree(settings.data / _INVESTIGATIONS / "tables" / stream_id, ignore_errors=True)

    installation_tools = InstallationTools(
        credentials=SqlCredentials(databases), guard=keyring, clock=clock, randomness=randomness, rotate_signer=rotate
    )
    bus, secret_key = Bus(), keyring.key("fingerprints")
    dispatcher = Dispatcher(tools, states, bus, secret_key, after_commit, installation_tools)
    application = Application(
        settings=settings,
        record=record,
        texts=texts,
        vault=vault,
        signer=signer,
        tools=tools,
        installation_tools=installation_tools,
        states=states,
        bus=bus,
        dispatcher=dispatcher,
        signing_in=SigningIn(installation_tools, states),
        secret_key=secret_key,
        verifier_keys=lambda: [key.vkey() for key in signer.verifier_keys()],
        replace_rows=record.replace_rows,
        close=databases.close,
        site=Site(settings.host, settings.url),
    )
    application.inquiries, application.exposures = _inquiries(application, settings.data), _exposures(application)
    application.finish_erasures()
    return application


def _inquiries(application: Application, data: Path) -> Inquiries:
    """Investigations of incidents, with the embedded engine."""
    return Inquiries(
        application, lambda progress: investigation_means(progress=progress), asker, data / _INVESTIGATIONS
    )


def _exposures(application: Application) -> Exposures:
    """Exposure searches of incidents; what they are made with is slow to load, and few starts need it."""
    settings = application.settings

    def means() -> ExposureMeans:
        from holdfast.wiring_exposure import Choices, Kit  # noqa: PLC0415 - likewise

        # One process: a server has threads, and those are no ground to fork from. What was captured may lead anywhere.
        return Kit(settings, Choices(processes=1, confined=True)).means()

    def shield(secrets: Sequence[SecretValue], spellings: Iterable[bytes]) -> object:
        from holdfast.wiring_exposure import shield  # noqa: PLC0415 - likewise

        return shield(secrets, spellings)

    return Exposures(application, means, shield, settings.data / _EXPOSURES, settings.exposure_roots)


def _open(settings: Settings) -> tuple[Keyring, Databases, FileSigner]:
    """What outlives a start: the keys, the databases, the signer; made at the first one."""
    _private_folder(settings.data)
    _private_folder(settings.keys)
    keyring = Keyring.load_or_create(settings.keys)
    databases = open_databases(
        settings.database or sqlite_url(settings.data / "record.sqlite"),
        settings.key_database or sqlite_url(settings.keys / "text-keys.sqlite"),
    )
    signer = FileSigner.load_or_create(settings.keys, "holdfast")
    return keyring, databases, signer


def library() -> dict[str, dict[str, object]]:
    """Every shipped document that incidents pin, by name."""
    documents: dict[str, dict[str, object]] = {
        "calendars": _toml("incidents", "calendars"),
        "severity": _toml("incidents", "severity"),
        "runbook": {"board": _toml("incidents", "board"), "questions": dict(questions())},
    }
    documents.update({f"play/{key}": dict(document) for key, document in plays().items()})
    return documents


def _toml(package: str, name: str) -> dict[str, object]:
    return tomllib.loads(files(f"holdfast.{package}").joinpath(f"library/{name}.toml").read_text(encoding="utf-8"))


def _private_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
