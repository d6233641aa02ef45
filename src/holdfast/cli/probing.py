"""Which probes a run makes: read-only looks at AWS, at addresses, and at repositories, as the options name them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from getpass import getpass
from pathlib import Path

from holdfast.app.investigating import Order
from holdfast.app.ports_probing import Probe
from holdfast.investigation.probing import OWN_CREDENTIAL, ProbeQuestion
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue


@dataclass(frozen=True, slots=True)
class Looks:
    """What the options asked for."""

    named: tuple[str, ...]
    """``aws``, ``aws:PROFILE``, ``https://…`` or ``tcp://HOST:PORT``."""
    repositories: tuple[Path, ...]
    suspect_key: str | None
    order: str | None


def prepare(order: Order, looks: Looks) -> tuple[Order, Sequence[Probe]]:
    """The probes, and the order with the questions they are to answer.

    Raises:
        BadInputError: a probe is not known, or a secret is missing on standard input.
        RefusedError: the suspect key is to be used without an order.
        UnavailableError: what a probe needs is not installed.
    """
    from holdfast import wiring  # noqa: PLC0415 - wiring imports everything

    probes: list[Probe] = []
    questions: list[ProbeQuestion] = []
    for name in looks.named:
        if name == "aws" or name.startswith("aws:"):
            probes.append(wiring.aws_probe(name.partition(":")[2] or None))
        elif name.startswith(("http://", "https://", "tcp://")):
            questions.append(ProbeQuestion(name, "endpoint_answers", {"address": name}))
        else:
            raise BadInputError(
                "probe-unknown",
                "Nothing was read.",
                why=f"There is no probe {name[:60]!r}.",
                next_step="Name aws, aws:PROFILE, or an address such as https://HOST/ or tcp://HOST:PORT.",
            )
    if questions:
        probes.append(wiring.endpoint_probe())
    if looks.suspect_key is not None and looks.repositories:
        raise BadInputError(
            "one-secret-at-a-time",
            "Nothing was read.",
            why="Standard input carries one secret, and both --suspect-key and --repository want one.",
            next_step="Run the two one after the other.",
        )
    if looks.suspect_key is not None:
        probes.append(wiring.suspect_probe(looks.suspect_key, _secret(), looks.order))
        questions.append(ProbeQuestion(looks.suspect_key, OWN_CREDENTIAL))
    if looks.repositories:
        secret = _secret().reveal()
        folders = {str(path): path for path in looks.repositories}
        asked = [ProbeQuestion(f"secret at HEAD of {name}", "secret_at_head", {"repository": name}) for name in folders]
        probes.append(wiring.git_probe(folders, {one.uid: secret for one in asked}))
        questions += asked
    return replace(order, probe_questions=tuple(questions)), tuple(probes)


def _secret() -> SecretValue:
    """The secret from standard input: typed without echo, or piped; never from arguments or the environment."""
    text = getpass("Secret: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not text:
        raise BadInputError(
            "secret-missing",
            "Nothing was read.",
            why="The secret is read from standard input, and there was none.",
            next_step="Pipe it in from where it is kept, or type it at the prompt.",
        )
    return SecretValue(text.encode())
