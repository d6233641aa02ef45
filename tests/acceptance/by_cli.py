"""A person at a terminal: the real ``holdfast`` command against the real server.

Commands run through the command line's own entry, in this process, because starting Python for each of hundreds
would take minutes; some are run as the processes they are (:meth:`CliSurface.process`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main
from typer.testing import CliRunner

from holdfast.cli.main import build
from tests.acceptance.by_api import rows_of
from tests.acceptance.driver import Json, RefusedHere
from tests.acceptance.installation import PASSWORD, Installation

SECTIONS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "room": (("timeline", "show"),),
    "timeline": (("timeline", "show"),),
    "evidence": (("evidence", "list"),),
    "investigation": (("question", "list"),),
    "claims": (("claim", "list"),),
    "updates": (("update", "list"),),
    "recovery": (("closure", "show"), ("state",)),
    "review": (("review", "show"),),
}
"""Commands that show a section; the others are on ``show`` and ``state``."""


@dataclass(frozen=True)
class Printed:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


class CliSurface:
    """The command line, with a token for each person in the environment."""

    name = "cli"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._command = typer.main.get_command(build())
        self._runner = CliRunner()

    def close(self) -> None:
        """Nothing is held."""

    def declare(self, person: str, **fields: Any) -> str:
        """``holdfast declare``."""
        name = fields.pop("name")
        return str(self._json(person, ["declare", name, *_options(fields)])["incident"])

    def act(self, person: str, use_case: str, incident: str, on: str, fields: Mapping[str, Any]) -> Json:
        """``holdfast NOUN VERB INC …``, its arguments in the order that its help names them."""
        del on
        command, words = self._named(use_case)
        rest = dict(fields)
        arguments: list[str] = []
        for parameter in command.params:
            if parameter.param_type_name == "argument" and parameter.name in rest:
                arguments += _texts(rest.pop(parameter.name))
        return dict(self._json(person, [*words, incident, *arguments, *_options(rest)])["result"])

    def capture(self, person: str, incident: str, path: Path, kind: str, source: str | None) -> None:
        """``holdfast capture INC PATH``."""
        more = [] if source is None else ["--source", source]
        self._json(person, ["capture", incident, str(path), "--kind", kind, *more])

    def rendered(self, person: str, incident: str, section: str) -> str:
        """What the section's commands print for a person, and what they print with ``--json``."""
        printed = []
        for command in self._commands(person, incident, section):
            printed.append(self._words(person, command))
            if command[0] not in ("state", "timeline"):
                printed.append(self._words(person, [*command, "--json"]))
        return "\n".join(printed)

    def rows(self, person: str, incident: str, section: str) -> list[str]:
        """Every object that the section's commands print with ``--json``."""
        found = []
        for command in self._commands(person, incident, section):
            words = command if command[0] == "state" else [*command, "--json"]
            found += rows_of(json.loads(self._words(person, words)))
        return [" ".join(row.split()) for row in found]

    def _commands(self, person: str, incident: str, section: str) -> list[list[str]]:
        named = SECTIONS.get(section, (("show",), ("state",)))
        commands = [[*words, incident] for words in named]
        state = json.loads(self._words(person, ["state", incident]))
        if section == "plays":
            commands = [["play", "show", incident, run] for run in state["plays"]["runs"]]
        if section == "updates":
            commands += [["update", "show", incident, one] for one in state["communications"]["updates"]]
        return commands

    def sentences(self, person: str, incident: str) -> dict[int, str]:
        """``holdfast timeline show``, as it is printed: time, number, sentence."""
        shown: dict[int, str] = {}
        number = -1
        for line in self._words(person, ["timeline", "show", incident]).splitlines():
            words = line.split(" ", 3)
            if len(words) == 4 and words[1].endswith("Z") and words[2].startswith("#"):
                number = int(words[2][1:])
                shown[number] = words[3]
            elif number in shown:
                shown[number] += " " + line
        return {number: " ".join(sentence.split()) for number, sentence in shown.items()}

    def gate(self, person: str, incident: str, scope: str, containment_pass: str | None = None) -> str:
        """``holdfast gate``: what a pipeline goes by is the exit status."""
        del incident
        arguments = ["gate", "--scope", scope]
        if containment_pass is not None:
            arguments += ["--pass-file", "-", "--pipeline", "deploy-payments"]
        result = self._run(person, arguments, containment_pass)
        return {0: "go", 10: "frozen", 11: "unknown"}[result.exit_code]

    def process(self, person: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        """The command as the process it really is."""
        environment = {**os.environ, **self._environment(person), "NO_COLOR": "1"}
        command = [sys.executable, "-m", "holdfast.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def log_in(self, person: str) -> None:
        """``holdfast login``: the token goes to a file that only the person can read."""
        installation = self._installation
        typed = f"{person}\n{PASSWORD}\n{installation.code(person)}\n"
        result = self._run(person, ["login", installation.url], typed)
        assert result.exit_code == 0, result.stderr
        (kept,) = (installation.folder / "terminal" / person).iterdir()
        assert kept.stat().st_mode & 0o777 == 0o600

    def who_am_i(self, person: str) -> str:
        """``holdfast me``, as a process with nothing but the login to go by."""
        environment = self._environment(person)
        del environment["HOLDFAST_TOKEN"], environment["HOLDFAST_SERVER"]
        command = [sys.executable, "-m", "holdfast.cli", "me"]
        whole = {**os.environ, **environment}
        found = subprocess.run(command, env=whole, capture_output=True, text=True, timeout=60, check=False)
        assert found.returncode == 0, found.stderr
        return found.stdout

    def _environment(self, person: str) -> dict[str, str]:
        return {
            "COLUMNS": "400",
            "HOLDFAST_DATA": str(self._installation.folder / "nobody"),
            "HOLDFAST_KEYS": str(self._installation.folder / "terminal" / person),
            "HOLDFAST_SERVER": self._installation.url,
            "HOLDFAST_TOKEN": self._installation.tokens[person],
        }

    def _run(self, person: str, arguments: list[str], given: str | None = None) -> Printed:
        """One command line; the command is made once, because making it takes longer than running it."""
        with self._runner.isolation(input=given, env=self._environment(person)) as streams:
            code: object = 0
            try:
                self._command.main(arguments, prog_name="holdfast")
            except SystemExit as ended:
                code = ended.code
            sys.stdout.flush()
            sys.stderr.flush()
            out, err = (stream.getvalue().decode() for stream in streams[:2])
        return Printed(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    def _words(self, person: str, arguments: list[str]) -> str:
        result = self._run(person, arguments)
        assert result.exit_code == 0, result.stderr
        return str(result.stdout)

    def _json(self, person: str, arguments: list[str]) -> Json:
        result = self._run(person, [*arguments, "--json"])
        if result.exit_code != 0:
            try:
                told = json.loads(result.stderr.strip().splitlines()[-1])
            except (ValueError, IndexError):
                message = f"holdfast {' '.join(arguments)}: exit {result.exit_code}\n{result.stderr}"
                raise AssertionError(message) from None
            assert told["exit_code"] == result.exit_code
            raise RefusedHere(told["code"], told["why"])
        return dict(json.loads(result.stdout))

    def _named(self, use_case: str) -> tuple[Any, list[str]]:
        """The command and the words that reach it: ``severity-confirm-lower`` is ``severity confirm-lower``."""
        whole = self._command.commands  # type: ignore[attr-defined]  # the root is a group
        if use_case in whole:
            return whole[use_case], [use_case]
        noun, _, verb = use_case.partition("-")
        return whole[noun].commands[verb], [noun, verb]


def _options(fields: Mapping[str, Any]) -> list[str]:
    written: list[str] = []
    for name, value in fields.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            written.append(option)
        elif value not in (None, False):
            for text in _texts(value):
                written += [option, text]
    return written


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
