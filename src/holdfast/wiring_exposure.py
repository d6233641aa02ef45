"""What an exposure search is made with. Apart from ``wiring``, so that it starts without what only a server needs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from holdfast import __version__
from holdfast.app.exposing import Means
from holdfast.app.ports_exposure import Listener, Searcher, Target
from holdfast.app.settings import Settings
from holdfast.engines.exposure import hardening, secret_input
from holdfast.engines.exposure.cache import ResultCache
from holdfast.engines.exposure.fingerprints import FingerprintIndex, Unit, folder_unit
from holdfast.engines.exposure.hardening import Hardened
from holdfast.engines.exposure.keeping import ExposureKey, load_or_create_key
from holdfast.engines.exposure.remotes import RemoteSearcher, checked, is_remote
from holdfast.engines.exposure.secret_input import Given, VaultPlace
from holdfast.exposure.query import Query
from holdfast.exposure.report import Named
from holdfast.exposure.results import Totals, Visibility
from holdfast.kernel.errors import BadInputError, NotFoundError
from holdfast.kernel.instants import format_instant
from holdfast.kernel.secrets import SecretValue, fingerprint

if TYPE_CHECKING:
    from holdfast.engines.exposure import staged
    from holdfast.engines.exposure.git_search import GitSearcher
    from holdfast.engines.exposure.guarding import Guarded
    from holdfast.exposure.checking import Item
    from holdfast.exposure.git.pushes import Push
    from holdfast.exposure.matching import Matcher
    from holdfast.exposure.results import Fault
    from holdfast.exposure.unpacked import Found

    StagedRepository = staged.Repository

REGISTRIES = ("oci://", "pypi+https://", "pypi+http://", "npm+https://", "npm+http://")
_FOLDER = "exposure"
_SHORTEST_KEY = 16
"""Bytes of a key that a team shares."""
__all__ = ["REGISTRIES", "Choices", "Given", "Hardened", "Kit", "VaultPlace", "aim", "indexed_units", "now", "quieten"]


@dataclass(frozen=True, slots=True)
class Choices:
    """How a search is made."""

    processes: int = 0
    """0: one for each processor."""
    plain: bool = False
    """The reference engine instead of the fast one."""
    cached: bool = True
    """Whether finished units are taken from the cache and kept there."""
    push_log: Path | None = None
    """A host's audit log that tells of pushes."""
    credential: str | None = None
    """Where the credential for registries is: ``file:PATH`` or ``env:NAME``."""
    confined: bool = False
    """Whether a repository may not lead out of the target it lies in: then what it borrows elsewhere is a fault."""
    spark: str | None = None
    """Master of the Spark cluster whose machines walk the packs of repositories; none for this machine alone."""


@dataclass(slots=True)
class Kit:
    """What a search of this user is put together from; nothing is opened before it is needed."""

    settings: Settings
    choices: Choices = field(default_factory=Choices)
    announce: Callable[[str], None] = field(default=lambda _sentence: None)
    """Hears once when the reference engine has to be used though nobody asked for it."""
    _key: ExposureKey | None = None
    _git: GitSearcher | None = None
    _without: bool | None = None
    _pushed: Sequence[Push] = ()

    @property
    def folder(self) -> Path:
        """Where everything that can be made anew is kept."""
        return self.settings.cache / _FOLDER

    def key(self) -> ExposureKey:
        """The user's key.

        Raises:
            UnavailableError: it cannot be used.
        """
        if self._key is None:
            self._key = load_or_create_key(self.settings.keys)
        return self._key

    def named(self, secrets: Sequence[SecretValue], labels: Sequence[str] = ()) -> tuple[Named, ...]:
        """The secrets as results name them."""
        key = self.key().key("fingerprints")
        return tuple(
            Named(number, fingerprint(secret.reveal(), key), labels[number] if number < len(labels) else None)
            for number, secret in enumerate(secrets)
        )

    def cache(self) -> ResultCache:
        """Results of finished units."""
        engine = f"{__version__} {'plain' if self.choices.plain else 'fast'}"
        return ResultCache(self.folder / "results", self.key(), engine=engine)

    def index(self) -> FingerprintIndex:
        """The index of fingerprints."""
        return FingerprintIndex(self.folder / "index", self.key())

    def mirrors(self) -> Path:
        """Folder of the mirrors of remotes."""
        return self.folder / "mirrors"

    def means(self) -> Means:
        """What a search is made with.

        Raises:
            BadInputError: the log of pushes cannot be used, or the reference engine was asked for on other machines.
            UnavailableError: Spark was asked for and is not here.
        """
        if self.choices.spark is not None:
            self._need_spark()
        self._pushed = self._pushes()
        return Means(
            searcher=self._searcher,
            engine=self._engine,
            clock=time.monotonic,
            cpu=_cpu,
            hints=self._hints,
        )

    def _hints(self, query: Query) -> Sequence[str]:
        if not (self.folder / "index").is_dir():
            return ()
        return tuple(head.name for head, _ in self.index().ask(query.secrets).probable)

    def _searcher(self, target: Target) -> Searcher:
        if target.where.startswith(REGISTRIES):
            return self._registry()
        if is_remote(target.where):
            return RemoteSearcher(self.mirrors(), self._repository(), os.environ)
        return self._local(target)

    def _repository(self) -> GitSearcher:
        if self._git is None:
            from holdfast.engines.exposure.git_search import GitSearcher  # noqa: PLC0415 - numba is slow to load

            choices = self.choices
            cache = self.cache() if choices.cached else None
            processes = choices.processes or os.cpu_count() or 1
            if choices.spark is None:
                self._git = GitSearcher(processes=processes, cache=cache, plain=choices.plain, pushes=self._pushed)
            else:
                self._git = self._on_spark(choices.spark, processes)
            if self._git.fallback is not None:
                self.announce(f"The fast engine does not start here ({self._git.fallback}): the reference one is used.")
        return self._git

    def _plain(self) -> bool:
        """Whether the reference engine finds literals: it was asked for, or Hyperscan does not load here."""
        if self._without is None:
            self._without = self.choices.plain
            try:
                import hyperscan  # noqa: F401, PLC0415 - only the fast engine needs it
            except ImportError as fault:
                if not self._without:
                    why = f"Hyperscan does not load here ({type(fault).__name__}): the reference engine is used."
                    self.announce(why)
                self._without = True
        return self._without

    def _need_spark(self) -> None:
        if self.choices.plain:
            raise BadInputError(
                "spark-with-plain",
                "Nothing was searched.",
                why="The reference engine searches on this machine alone, and --spark asks for others.",
                next_step="Leave out --plain or --spark.",
            )
        from holdfast.engines import spark  # noqa: PLC0415 - an extra

        spark.need()

    def _on_spark(self, master: str, processes: int) -> GitSearcher:
        """A searcher whose results are not kept: a filter may not find all that a search here does."""
        from holdfast.engines.exposure.spark_search import Cluster, SparkGitSearcher  # noqa: PLC0415 - an extra

        return SparkGitSearcher(processes=processes, pushes=self._pushed, cluster=Cluster(master, self.folder))

    def _engine(self) -> str:
        plain = self._plain() if self._git is None else self._git.plain
        return "plain" if plain else "fast"

    def _pushes(self) -> Sequence[Push]:
        """What a host's log tells of pushes.

        Raises:
            BadInputError: the log cannot be read, or tells of none.
        """
        path = self.choices.push_log
        if path is None:
            return ()
        from holdfast.exposure.git.pushes import from_log  # noqa: PLC0415 - few searches have one

        try:
            found, other = from_log(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise _push_log_unfit(path, f"it cannot be read ({type(error).__name__})") from None
        if not found:
            raise _push_log_unfit(path, f"none of its {other:,} records tells of a push")
        return found

    def _local(self, target: Target) -> Searcher:
        from holdfast.engines.exposure.folders import FolderSearcher  # noqa: PLC0415 - few starts need it

        def repository(path: Path, inner: Target, query: Query, listener: Listener) -> Totals:
            # The history of what was named is told of under the name it was given.
            named = path == Path(target.where) / ".git"
            wanted = replace(inner, shown=target.shown) if named else inner
            within = Path(target.where) if self.choices.confined else None
            return self._repository().search(wanted, query, listener, within=within)

        return FolderSearcher(repository, plain=self._plain())

    def _registry(self) -> Searcher:
        from holdfast.connectors.registries.searching import RegistrySearcher  # noqa: PLC0415 - few searches need it
        from holdfast.engines.exposure.limits import Limits  # noqa: PLC0415 - likewise
        from holdfast.engines.exposure.unpacking import search_stream  # noqa: PLC0415 - likewise

        compiled: dict[tuple[str, tuple[bytes, ...]], Matcher] = {}

        def search(chunks: Iterable[bytes], query: Query) -> Found:
            key = (query.digest, query.anchors)
            anchors = compiled.get(key) or query.matcher(plain=self._plain())
            compiled[key] = anchors
            return search_stream(chunks, query, anchors, Limits())

        return RegistrySearcher(search, self.choices.credential)


def quieten() -> None:
    """Before a secret is read: no core dump, and no traceback that could show it."""
    hardening.no_core_dumps()
    hardening.no_tracebacks()


def shield(secrets: Sequence[SecretValue], spellings: Iterable[bytes]) -> Hardened:
    """When a secret was read: see :func:`holdfast.engines.exposure.hardening.harden`."""
    return hardening.harden(secrets, spellings)


def secrets_from_stream(stream: BinaryIO, *, lines: bool, null: bool) -> Given:
    """Secrets from standard input or what a prompt said."""
    return secret_input.from_stream(stream, lines=lines, null=null)


def secrets_from_descriptor(number: int, *, lines: bool, null: bool) -> Given:
    """Secrets from an open file descriptor."""
    return secret_input.from_descriptor(number, lines=lines, null=null)


def secrets_from(reference: str, vault: VaultPlace, *, lines: bool, null: bool) -> Given:
    """Secrets from ``file:PATH``, ``aws-sm:NAME[#KEY][@STAGE]`` or ``vault:MOUNT/PATH#KEY``.

    Raises:
        BadInputError: it is no such reference.
    """
    kind, _, rest = reference.partition(":")
    if kind == "file" and rest:
        return secret_input.from_file(Path(rest).expanduser(), lines=lines, null=null)
    if kind == "vault" and rest:
        return secret_input.from_vault(rest, vault)
    if kind == "aws-sm" and rest:
        from holdfast.connectors.aws.secrets_manager import read_secret  # noqa: PLC0415 - an extra

        place = secret_input.aws_name(rest)
        return Given((read_secret(place.name, place.key, place.stage),))
    raise secret_input.reference_not_understood()


def aim(given: Sequence[str], visibility: Visibility) -> tuple[Target, ...]:
    """Targets from what was typed.

    Raises:
        NotFoundError: one is no address and names nothing here; it is not repeated, for it may be the secret.
        BadInputError: an address cannot be fetched from.
    """
    return tuple(_target(number, text, visibility) for number, text in enumerate(given, 1))


def _target(number: int, text: str, visibility: Visibility) -> Target:
    if text.startswith(REGISTRIES):
        return Target(text, text, visibility)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    elif is_remote(text) and not os.path.lexists(text):
        return Target(checked(text), text, visibility)
    if not os.path.lexists(text):
        raise NotFoundError(
            "target-not-found",
            "Nothing was searched.",
            why=f"TARGET number {number} is no address, and no file or folder of that name is here. It was not shown, "
            "because it may be the secret: then it is now in your shell's history and was in the process table.",
            next_step="Name what to search, and pipe the secret in: holdfast exposure search --secret-stdin TARGET",
        )
    return Target(text, text, visibility)


def indexed_units(place: Path) -> list[Unit]:
    """What the index reads of a place: packs of a repository once, files and loose objects each time."""
    from holdfast.engines.exposure.git_tokens import repository_units  # noqa: PLC0415 - numba is slow to load

    history = repository_units(place)
    if history is None:
        return [folder_unit(place)]
    return [*history, folder_unit(place)] if (place / ".git").exists() else history


def _push_log_unfit(path: Path, why: str) -> BadInputError:
    return BadInputError(
        "push-log-unfit",
        "Nothing was searched.",
        why=f"The log of pushes {path.name} cannot be used: {why}.",
        next_step="Give GitHub's repository activity or push events, or GitLab's, as JSON: --push-log FILE",
    )


def now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def fingerprint_key(settings: Settings, file: Path | None) -> bytes:
    """The key of fingerprints: the user's, or the one in a private file that a team shares.

    Raises:
        UnavailableError: the user's key cannot be used.
        BadInputError: the file holds too little.
        ForbiddenError: others can read the file.
    """
    if file is None:
        return load_or_create_key(settings.keys).key("fingerprints")
    shared = secret_input.from_file(file).secrets[0].reveal()
    if len(shared) < _SHORTEST_KEY:
        raise BadInputError(
            "fingerprint-key-too-short",
            "Nothing was checked.",
            why=f"The file of the shared key holds fewer than {_SHORTEST_KEY} bytes.",
            next_step="Make one: (umask 077; openssl rand -hex 32 > FILE)",
        )
    return ExposureKey(shared).key("fingerprints")


def staged_repository(place: Path) -> StagedRepository:
    """The repository of a folder, for checking what gets in; a hook's own environment says where its index is.

    Raises:
        NotFoundError: the folder is in none.
    """
    from holdfast.engines.exposure.staged import Repository  # noqa: PLC0415 - few starts need it

    return Repository(place, os.environ if place == Path() else {})


def file_items(paths: Sequence[Path], window: int) -> Iterator[Item | Fault]:
    """Contents of files and folders, for checking."""
    from holdfast.engines.exposure.staged import files  # noqa: PLC0415 - few starts need it

    return files(paths, window)


def guard(place: Path, secret: SecretValue, *, incident: str) -> Guarded:
    """Put a guard against a leaked value into a repository: see :func:`holdfast.engines.exposure.guarding.install`."""
    from holdfast.engines.exposure.guarding import install  # noqa: PLC0415 - few starts need it

    own = shutil.which(sys.argv[0]) or str(Path(sys.argv[0]).absolute())
    return install(place, secret, incident=incident, added=format_instant(now()), program=own)


def pre_commit_config(place: Path) -> Path:
    """Write a configuration for the pre-commit framework, if there is none."""
    from holdfast.engines.exposure.guarding import write_pre_commit_config  # noqa: PLC0415 - few starts need it

    return write_pre_commit_config(place)
