"""What the audience sees: who did what, one sentence each, at a readable pace; and one line of progress."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from holdfast.kernel.errors import HoldfastError

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "white")


class Teller:
    """Tells the story on standard output; the line of progress only where somebody watches a terminal."""

    def __init__(self, beat: float, scenes: int) -> None:
        """Rest ``beat`` seconds after every sentence, so that it can be read; expect this many scenes."""
        self._beat = beat
        self._console = Console(no_color=bool(os.environ.get("NO_COLOR")), highlight=False)
        self._errors = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")), highlight=False)
        self._colours: dict[str, str] = {}
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not sys.stdout.isatty(),
        )
        self._task = self._progress.add_task("Starting", total=scenes)

    def __enter__(self) -> Self:
        """Show the line of progress."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it away."""
        self._progress.stop()

    def introduce(self, account: str, what: str) -> None:
        """A person enters; from now on they have their colour."""
        self._colours[account] = COLOURS[len(self._colours) % len(COLOURS)]
        self.says(account, what, rest=0.3)

    def scene(self, title: str, ids: str) -> None:
        """A new scene, with the runbook's ids it plays."""
        self._progress.update(self._task, description=title)
        self._print(f"\n[bold]{escape(title)}[/]  [dim]{escape(ids)}[/]")

    def scene_over(self) -> None:
        """One scene further."""
        self._progress.advance(self._task)

    def says(self, account: str, what: str, *, rest: float = 1.0) -> None:
        """One sentence on what a person did: ``ben captures …``."""
        colour = self._colours.get(account, "white")
        self._print(f"  [{colour}]{escape(account):>15}[/]  {escape(what)}")
        self.rest(rest)

    def aside(self, what: str, *, rest: float = 0.6) -> None:
        """What Holdfast itself answers, or a note to the audience."""
        self._print(f"  [dim]{'':>15}  {escape(what)}[/]")
        self.rest(rest)

    def plain(self, text: str = "") -> None:
        """A line as it is."""
        self._print(escape(text))

    def rest(self, beats: float) -> None:
        """Give the audience time to read."""
        if self._beat > 0:
            time.sleep(beats * self._beat)

    def failed(self, error: HoldfastError) -> None:
        """An error's sentences, as everywhere in the product."""
        self._errors.print(f"[bold red]{escape(error.what)}[/]", soft_wrap=True)
        self._errors.print(escape(error.why), soft_wrap=True)
        self._errors.print(f"[bold]Next:[/] {escape(error.next_step)}", soft_wrap=True)

    def last_line(self, text: str) -> None:
        """What a script reads from standard output."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def _print(self, markup: str) -> None:
        self._console.print(markup, soft_wrap=not sys.stdout.isatty())
        sys.stdout.flush()
