"""``holdfast exposure search --rules``: secrets that nobody named, with the lists and files that go with them.

Rules:
1. Lists are those that are named on the command line. What a searched repository brings along allows nothing but the
   lines that it stands on, and these are counted.
2. Nothing that is printed or written holds a character of a secret.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast import __version__
from holdfast.cli.output import settings
from holdfast.cli.scanning import file_bytes, write_text
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue

if TYPE_CHECKING:
    from holdfast.app.exposing import Report
    from holdfast.exposure.passing import Passing
    from holdfast.exposure.query import Query

RulesOption = Annotated[
    bool, typer.Option("--rules", help="also look for secrets that nobody named; then no secret need be given")
]
BaselineOption = Annotated[
    Path | None, typer.Option("--baseline", metavar="FILE", help="findings of --rules that are known already")
]
WriteOption = Annotated[
    Path | None, typer.Option("--write-baseline", metavar="FILE", help="write what --rules finds as a baseline")
]
AllowOption = Annotated[
    Path | None, typer.Option("--allow", metavar="FILE", help="findings of --rules that are allowed, with reasons")
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--fingerprint-key", metavar="FILE", help="private file with the key a team shares, for --rules"),
]
SarifOption = Annotated[
    str | None, typer.Option("--sarif", metavar="FILE", help="write SARIF 2.1.0 to this file, - for standard output")
]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was asked about secrets that nobody named."""

    rules: bool = False
    baseline: Path | None = None
    write: Path | None = None
    allow: Path | None = None
    key: Path | None = None
    sarif: str | None = None

    def check(self) -> None:
        """Refuse lists without rules.

        Raises:
            BadInputError: a list is given, and nothing that it could be about.
        """
        if not self.rules and any((self.baseline, self.write, self.allow, self.key)):
            raise BadInputError(
                "lists-without-rules",
                "Nothing was searched.",
                why="Baseline, allow list and fingerprint key are about secrets that nobody named, and --rules was not "
                "given.",
                next_step="holdfast exposure search --rules --baseline FILE TARGET",
            )

    def query(self, secrets: Sequence[SecretValue]) -> Query:
        """What to look for.

        Raises:
            BadInputError: a secret cannot be searched for.
        """
        from holdfast.exposure.query import compile_query  # noqa: PLC0415 - numpy is slow to load

        if not self.rules:
            return compile_query(secrets)
        from holdfast.exposure.formats import shipped  # noqa: PLC0415 - likewise
        from holdfast.exposure.unknown import compile_ruled  # noqa: PLC0415 - likewise

        return compile_ruled(secrets, shipped(), self._key())

    def passing(self) -> Passing:
        """What is known and allowed.

        Raises:
            BadInputError: a list cannot be read, or was made under another key.
        """
        from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - slow to load
        from holdfast.exposure.baseline import AllowList, read_allow_list, read_baseline  # noqa: PLC0415 - likewise
        from holdfast.exposure.passing import Passing  # noqa: PLC0415 - likewise

        known = allowed = None
        if self.baseline is not None:
            known = read_baseline(_text(self.baseline), self._key(), wiring.now())
        if self.allow is not None:
            allowed = read_allow_list(_text(self.allow), self._key(), wiring.now())
        return Passing(
            baseline=None if known is None else known.baseline,
            allowed=AllowList() if allowed is None else allowed.allowed,
            expired=(*(known.expired if known else ()), *(allowed.expired if allowed else ())),
        )

    def written(self, report: Report) -> None:
        """Write what was asked for.

        Raises:
            UnavailableError: a file cannot be written.
        """
        if self.write is not None:
            from holdfast.exposure.baseline import baseline_of  # noqa: PLC0415 - few need it
            from holdfast.exposure.passing import entries  # noqa: PLC0415 - likewise

            known = [one.hit for one in report.passed if one.state == "known"]
            write_text(self.write, baseline_of(entries([*report.hits, *known]), self._key()).text())
        if self.sarif is not None:
            self._sarif(report, self.sarif)

    def _sarif(self, report: Report, file: str) -> None:
        from holdfast.exposure.baseline import Entry  # noqa: PLC0415 - few need it
        from holdfast.exposure.formats import shipped  # noqa: PLC0415 - likewise
        from holdfast.exposure.passing import as_check  # noqa: PLC0415 - likewise
        from holdfast.exposure.sarif import sarif  # noqa: PLC0415 - likewise

        named = {
            one.number: Entry(fingerprint=one.fingerprint, note=one.label or f"secret {one.number + 1}")
            for one in report.secrets
        }
        found = as_check(report.hits, report.passed, report.faults, report.totals, named)
        log = sarif(found, shipped(), version=__version__, with_baseline=self.baseline is not None)
        log["runs"][0]["invocations"][0]["executionSuccessful"] = report.complete
        text = json.dumps(log, indent=2) + "\n"
        if file == "-":
            sys.stdout.write(text)
        else:
            write_text(Path(file), text)

    def _key(self) -> bytes:
        from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - slow to load

        return wiring.fingerprint_key(settings(), self.key)


def _text(path: Path) -> str:
    return file_bytes(path).decode("utf-8", "replace")
