"""Packs: making one, and verifying one offline."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from holdfast.cli.connection import Connection
from holdfast.cli.output import err, fail, out, print_json, run
from holdfast.evidence.packs.verify import Step, read_keys
from holdfast.evidence.packs.verify import verify as verify_pack
from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError
from holdfast.ledger.notes import VerifierKey

JsonOption = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]


def pack(
    incident: Annotated[str, typer.Argument(metavar="INC", help="incident id, such as INC-2026-0042")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write")],
    recipient: Annotated[str, typer.Option(help="who receives it")] = "the holder of this file",
    purpose: Annotated[str, typer.Option(help="why it is exported")] = "Pack of the incident",
    withhold: Annotated[
        list[str] | None, typer.Option(help="item or text id to leave out (repeat for several)")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Export evidence, record and report of an incident as one file that verifies offline."""

    def write(server: Connection) -> int:
        body = {"recipient": recipient, "purpose": purpose, "withheld": withhold or []}
        partial = output.with_name(output.name + ".partial")
        size = 0
        try:
            with partial.open("xb") as file:
                for block in server.download("POST", f"/incidents/{incident}/pack", body=body):
                    size += file.write(block)
                    _progress("writing", size)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(output)
        except FileExistsError:
            raise BadInputError(
                "output-busy",
                "The pack was not written.",
                why=f"{partial} exists: another export is writing there, or one was cut off.",
                next_step=f"Remove it if no export runs: rm {partial}",
            ) from None
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise BadInputError(
                "output-unwritable",
                "The pack was not written.",
                why=f"{output} cannot be written: {error.strerror}.",
                next_step="Choose another file: holdfast pack INC -o FILE",
            ) from None
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return size

    size = run(write, as_json=as_json)
    _end_progress()
    if as_json:
        print_json({"file": str(output), "incident": incident, "size": size})
    else:
        out().print(f"Wrote {escape(str(output))} ({size:,} bytes).")
        out().print(f"Verify it: [bold]holdfast verify {escape(str(output))}[/]")


def verify(
    file: Annotated[Path, typer.Argument(help="the pack")],
    *,
    key: Annotated[list[str] | None, typer.Option(help="verifier key you trust (repeat for several)")] = None,
    pinned_keys: Annotated[Path | None, typer.Option(help="file with verifier keys you trust, one a line")] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a pack offline: structure, record, words, evidence, signatures; exit 9 at the first fault."""
    try:
        trusted = [VerifierKey.from_vkey(text) for text in key or ()]
        if pinned_keys is not None:
            trusted += read_keys(_text(pinned_keys))
        try:
            stream = file.open("rb")
        except OSError as error:
            raise NotFoundError(
                "pack-not-found",
                f"{file} was not verified.",
                why=f"It cannot be opened: {error.strerror}.",
                next_step="Check the path: holdfast verify FILE",
            ) from None
        with stream:
            verdict = verify_pack(stream, trusted, lambda step: None if as_json else _told(step))
    except HoldfastError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(
            {
                "authentic": verdict.authentic,
                "erased": verdict.erased,
                "events": verdict.events,
                "evidence": verdict.evidence,
                "incident": verdict.incident,
                "sentence": verdict.sentence,
                "signer": verdict.signer.vkey(),
                "through": verdict.through,
                "withheld": verdict.withheld,
            }
        )
    else:
        out().print(f"[bold]{escape(verdict.sentence)}[/]")


def _told(step: Step) -> None:
    err().print(f"{step.number}. {escape(step.name)}: {escape(step.found)}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            "keys-unreadable",
            "The pack was not verified.",
            why=f"The file of pinned keys cannot be read: {type(error).__name__}.",
            next_step="Give a text file with one verifier key a line: holdfast verify FILE --pinned-keys KEYS",
        ) from None


def _progress(what: str, size: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what} {size >> 20} MiB")
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\n")
