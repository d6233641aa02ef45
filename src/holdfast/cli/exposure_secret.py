"""Where ``holdfast exposure`` takes the secret from: never from an argument, never from the environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from getpass import getpass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.output import err
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue

if TYPE_CHECKING:
    from holdfast.wiring_exposure import Given


@dataclass(frozen=True, slots=True)
class Asking:
    """Where the secret is to come from."""

    stdin: bool = False
    descriptor: int | None = None
    reference: str | None = None
    lines: bool = False
    null: bool = False
    vault: str | None = None
    vault_token: Path = Path("~/.vault-token")
    typed: str | None = None
    """Given to ``--secret``, which is refused."""

    @property
    def named(self) -> bool:
        """Whether it is said where the secret is to come from."""
        return self.stdin or any(one is not None for one in (self.descriptor, self.reference, self.typed))


def secrets_of(asking: Asking) -> tuple[SecretValue, ...]:
    """The secrets, from the one place that is named; a prompt when there is a terminal and nothing is named.

    Raises:
        BadInputError: no place, several or the arguments are named, or there is nothing.
    """
    from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - slow to load, and help needs none of it

    ways = sum((asking.stdin, asking.descriptor is not None, asking.reference is not None))
    if asking.typed is not None:
        raise BadInputError(
            "secret-in-arguments",
            "Nothing was searched.",
            why="A secret is never an argument: it is now in the shell's history and was in the process table.",
            next_step="Clear it from the history, then: holdfast exposure search --secret-stdin TARGET",
        )
    if ways > 1:
        raise BadInputError(
            "secret-from-two-places",
            "Nothing was searched.",
            why="The secret is to come from more than one place.",
            next_step="Name one: holdfast exposure search --secret-stdin TARGET",
        )
    how = {"lines": asking.lines, "null": asking.null}
    if asking.reference is not None:
        place = wiring.VaultPlace(asking.vault or os.environ.get("VAULT_ADDR", ""), asking.vault_token.expanduser())
        given = wiring.secrets_from(asking.reference, place, **how)
    elif asking.descriptor is not None:
        given = wiring.secrets_from_descriptor(asking.descriptor, **how)
    elif asking.stdin or not sys.stdin.isatty():
        given = wiring.secrets_from_stream(sys.stdin.buffer, **how)
    else:
        given = _prompted(how)
    if given.newline_dropped:
        err().print("[dim]A newline at the end was taken to be none of the secret.[/]")
    return given.secrets


def _prompted(how: dict[str, bool]) -> Given:
    from holdfast import wiring_exposure as wiring  # noqa: PLC0415 - likewise

    text = getpass("Secret (it is not shown): ")
    return wiring.secrets_from_stream(BytesIO(text.encode("utf-8", "surrogateescape")), **how)
