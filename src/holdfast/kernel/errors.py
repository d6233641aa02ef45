"""One error base for every surface: what happened, why, what to do next, whether trying again helps.

The CLI, the API (RFC 9457 problem) and the pages all render these same five fields. Messages never
carry secrets, file contents or locals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class HoldfastError(Exception):
    """A refusal or failure that a person can act on.

    Args:
        code: stable, kebab-case name, documented in ``docs/reference/errors.md``.
        what: what happened, one sentence.
        why: the reason, one sentence.
        next_step: what to do now; ends with a command to type where one helps.
        details: machine-readable extras (JSON values only, never secrets).
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    retry_helps: ClassVar[bool] = False

    def __init__(
        self, code: str, what: str, *, why: str, next_step: str, details: Mapping[str, object] | None = None
    ) -> None:
        """Keep the five fields; ``str(error)`` is one line."""
        super().__init__(f"{what} {why}")
        self.code = code
        self.what = what
        self.why = why
        self.next_step = next_step
        self.details: dict[str, object] = dict(details or {})


class BadInputError(HoldfastError):
    """What was sent cannot be understood or accepted as it is (HTTP 422)."""

    status = 422
    exit_code = 2


class UnauthenticatedError(HoldfastError):
    """Nobody is signed in, or the proof offered is not valid (HTTP 401)."""

    status = 401
    exit_code = 4


class ForbiddenError(HoldfastError):
    """The person is known, and may not do this (HTTP 403)."""

    status = 403
    exit_code = 4


class NotFoundError(HoldfastError):
    """No such object for this viewer: absent and invisible look the same (HTTP 404)."""

    status = 404
    exit_code = 5


class ConflictError(HoldfastError):
    """Somebody changed the same facet first; look again, then decide (HTTP 409)."""

    status = 409
    exit_code = 6
    retry_helps = True


class RefusedError(HoldfastError):
    """A rule of the runbook refuses this in the incident's present state (HTTP 409)."""

    status = 409
    exit_code = 7


class TooLargeError(HoldfastError):
    """The input is over a limit (HTTP 413)."""

    status = 413
    exit_code = 2


class UnavailableError(HoldfastError):
    """Something needed is busy or out of reach just now (HTTP 503)."""

    status = 503
    exit_code = 8
    retry_helps = True


class IncompleteError(HoldfastError):
    """A source could not be read whole: the answer is *incomplete*, never clean (HTTP 409)."""

    status = 409
    exit_code = 3


class DamagedError(HoldfastError):
    """Stored or exported data fails its proof (HTTP 500)."""

    status = 500
    exit_code = 9
