"""How an exposure search tells what it finds: lines of JSON for programs, places with their story for people."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.markup import escape

from holdfast.app.exposing import Report, Step
from holdfast.cli.output import err, out
from holdfast.exposure.results import Fault, Hit, Provenance, Touch
from holdfast.exposure.rules import length_bucket

_WIDTH = 80
_SHOWN = 40
"""Places of one target, or of one rule, that people are shown; the rest is counted."""
_FAULTS_SHOWN = 20
_NAMES_SHOWN = 3
_EVERY_SECONDS = 0.2
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000


class Telling(Protocol):
    """Hears a search and tells how it ended."""

    def hint(self, where: str, *, among_targets: bool) -> None: ...  # noqa: D102 - see Audience

    def hit(self, hit: Hit) -> None: ...  # noqa: D102 - likewise

    def fault(self, fault: Fault) -> None: ...  # noqa: D102 - likewise

    def progress(self, step: Step) -> None: ...  # noqa: D102 - likewise

    def end(self, report: Report, next_step: str) -> None:
        """Tell how it ended."""
        ...


def _on_terminal() -> bool:
    """Whether standard error, as it is by now, is a terminal."""
    return sys.stderr.isatty()


@dataclass(slots=True)
class Meter:
    """One line on a terminal's standard error that says how far the search is."""

    live: bool = field(default_factory=_on_terminal)
    _last: float = 0.0

    def show(self, step: Step) -> None:
        """Show it, not too often."""
        moment = time.monotonic()
        if self.live and moment - self._last >= _EVERY_SECONDS:
            self._last = moment
            sys.stderr.write(f"\r\x1b[K{progress_line(step)[: _WIDTH - 1]}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away before something else is written."""
        if self.live and self._last:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class JsonTelling:
    """A line for each hit and fault as it comes, and the last one."""

    def __init__(self) -> None:
        """Tell on standard output."""
        self._meter = Meter()

    def hint(self, where: str, *, among_targets: bool) -> None:
        """A guess is no result: it goes to standard error."""
        _say_hint(where, among_targets=among_targets)

    def hit(self, hit: Hit) -> None:
        """A line."""
        self._line(hit.as_json())

    def fault(self, fault: Fault) -> None:
        """A line."""
        self._line(fault.as_json())

    def progress(self, step: Step) -> None:
        """On a terminal only."""
        self._meter.show(step)

    def end(self, report: Report, next_step: str) -> None:
        """The last line."""
        del next_step
        self._line(report.end())

    def _line(self, value: Mapping[str, Any]) -> None:
        self._meter.clear()
        # As ASCII: a name of a file need not be text, and half a character cannot be written as UTF-8.
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()


class SilentTelling:
    """Nothing but how far it is: standard output belongs to something else."""

    def __init__(self) -> None:
        """Tell on a terminal's standard error only."""
        self._meter = Meter()

    def hint(self, where: str, *, among_targets: bool) -> None:
        """See :class:`Telling`."""
        _say_hint(where, among_targets=among_targets)

    def hit(self, hit: Hit) -> None:
        """Told elsewhere."""

    def fault(self, fault: Fault) -> None:
        """Told elsewhere."""

    def progress(self, step: Step) -> None:
        """See :class:`Telling`."""
        self._meter.show(step)

    def end(self, report: Report, next_step: str) -> None:
        """Nothing more is told."""
        del report, next_step
        self._meter.clear()


class PeopleTelling:
    """Places as they come, under the target they are in."""

    def __init__(self) -> None:
        """Tell on standard output, and what could not be read on standard error."""
        self._meter = Meter()
        self._target: str | None = None
        self._shown: Counter[str] = Counter()
        self._faults = 0
        self._unknown: list[Hit] = []

    def hint(self, where: str, *, among_targets: bool) -> None:
        """See :class:`Telling`."""
        _say_hint(where, among_targets=among_targets)

    def hit(self, hit: Hit) -> None:
        """See :class:`Telling`."""
        if hit.unknown is not None:
            self._unknown.append(hit)  # told by rule, when all of them are known
            return
        self._meter.clear()
        self._shown[hit.target] += 1
        if self._shown[hit.target] > _SHOWN:
            if self._shown[hit.target] == _SHOWN + 1:
                out().print("  [dim]… and more in this target; every place: --json[/]")
            return
        if hit.target != self._target:
            self._target = hit.target
            out().print(f"[bold]{_shown(hit.target)}[/]{_seen_by(hit)}")
        for line in place_lines(hit):
            out().print(line)
        sys.stdout.flush()

    def fault(self, fault: Fault) -> None:
        """See :class:`Telling`."""
        self._meter.clear()
        self._faults += 1
        if self._faults <= _FAULTS_SHOWN:
            where = f" {fault.where}" if fault.where else ""
            err().print(f"[yellow]not searched[/] {_shown(fault.target + where)}: {_shown(fault.reason)}")
        elif self._faults == _FAULTS_SHOWN + 1:
            err().print("and more that could not be searched; all of it: --json")

    def progress(self, step: Step) -> None:
        """See :class:`Telling`."""
        self._meter.show(step)

    def end(self, report: Report, next_step: str) -> None:
        """A summary, what was not searched, and what to do now."""
        self._meter.clear()
        for line in unknown_lines(self._unknown):
            out().print(line)
        if report.hits:
            out().print()
        for line in summary_lines(report):
            out().print(line)
        out().print(f"[bold]Next:[/] {escape(next_step)}")


def place_lines(hit: Hit) -> Iterator[str]:
    """A place in console markup: what, where, how spelled, since when, by whom, whether still there."""
    place = hit.path or hit.artifact or _object(hit)
    place = " > ".join((place, *hit.inner))
    line = "" if hit.line is None else f":{hit.line}"
    mark = "[bold red]" if hit.cls != "partial" else "[yellow]"
    if hit.unknown is None:
        yield f"  {mark}{hit.cls:<8}[/]{_shown(place + line)}"
        about = [hit.form, _object(hit)]
    else:
        yield f"  {mark}found   [/]{_shown(place + line)}"
        about = [f"fingerprint {hit.unknown.fingerprint}", length_bucket(hit.end - hit.start), _object(hit)]
        if hit.copies is not None and hit.copies > 1:
            about.append(f"in {hit.copies:,} objects")
    if hit.artifact is not None and hit.path is not None:
        about.append(hit.artifact)
    about += [f"{name} {value}" for name, value in hit.about]
    yield from _indented(", ".join(about))
    if hit.provenance is not None:
        yield from _story(hit.provenance)


def unknown_lines(hits: Sequence[Hit]) -> Iterator[str]:
    """Findings of rules in console markup, by rule, the rule with most of them first."""
    from holdfast.exposure.formats import shipped  # noqa: PLC0415 - few need it

    names = {rule.key: rule.name for rule in shipped().scanning}
    groups: defaultdict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        groups[hit.rule or ""].append(hit)
    for rule, found in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0])):
        values = len({hit.fingerprint for hit in found})
        counted = (
            f"{values:,} value{'' if values == 1 else 's'} in {len(found):,} place{'' if len(found) == 1 else 's'}"
        )
        yield f"[bold]{escape(names.get(rule, rule))}[/] [dim]({escape(rule)}: {counted})[/]"
        for hit in found[:_SHOWN]:
            yield from place_lines(hit)
        if len(found) > _SHOWN:
            yield f"  [dim]… and {len(found) - _SHOWN:,} more of this rule; every place: --json[/]"


def summary_lines(report: Report) -> Iterator[str]:
    """How it ended, in console markup."""
    found = len(report.hits)
    with_hits = sum(1 for one in report.targets if one.hits)
    told = Counter("by rules" if hit.unknown else hit.cls for hit in report.hits)
    classes = ", ".join(f"{count:,} {name}" for name, count in told.items())
    places = f"{_count(found, 'place')} in {with_hits} of {_count(len(report.targets), 'target')}"
    places += f" ({classes})." if classes else "."
    if report.complete:
        yield f"[bold green]Complete:[/] {places}"
    else:
        why = "interrupted" if report.interrupted else f"{_count(len(report.faults), 'thing')} could not be searched"
        yield f"[bold yellow]Incomplete:[/] {places}"
        yield from _indented(f"{why[0].upper()}{why[1:]}: this does not prove that it is nowhere else.", "  ")
    if report.passed:
        states = Counter(one.state for one in report.passed)
        passed = " and ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
        yield from _indented(f"Not counted as found: {passed}; --sarif lists them.", "  ")
    for entry in report.expired:
        yield from _indented(f"No longer known or allowed: {entry}: its day has passed.", "  ")
    yield from _indented(_work(report), "  ")
    for one in sorted(report.totals.not_searched):
        yield from _indented(f"Cannot be seen this way: {one}.", "  ")
    if report.not_searched:
        one = min(report.not_searched)
        yield from _indented(f"{len(report.not_searched)} spellings are not looked for, such as {one}: --json.", "  ")


def progress_line(step: Step) -> str:
    """How far a search is, in one line."""
    share = f"{step.done * 100 // step.total:3d} % " if step.total else ""
    left = "" if step.remaining is None else f", {_duration(step.remaining)} left"
    rate = f" {_bytes(step.rate)}/s{left}" if step.rate else ""
    place = f"{step.number} of {step.targets} " if step.targets > 1 else ""
    return f"{place}{share}{step.what}{rate}  {step.target}"


def _say_hint(where: str, *, among_targets: bool) -> None:
    tail = "confirming" if among_targets else "not among the targets: add it"
    err().print(f"[cyan]probably in[/] {_shown(where)} [dim]({tail})[/]")


def _shown(text: str) -> str:
    """A name as console markup: on one line, and of characters that can be written."""
    return escape(text.replace("\n", "[U+000A]").encode("utf-8", "replace").decode())


def _seen_by(hit: Hit) -> str:
    return "" if hit.visibility == "unknown" else f" [dim]({hit.visibility})[/]"


def _object(hit: Hit) -> str:
    return hit.kind if hit.object is None else f"{hit.kind} {hit.object[:12]}"


def _story(found: Provenance) -> Iterator[str]:
    if found.paths_total > 1:
        others = found.paths[1 : _NAMES_SHOWN + 1]
        yield from _indented(f"also as {_some(others, found.paths_total - 1)}")
    if found.first is not None:
        yield from _indented(f"since {_touch(found.first)}")
    yield from _indented(_still(found))


def _still(found: Provenance) -> str:
    if found.heads_total:
        return f"still there: {_some(found.heads[:_NAMES_SHOWN], found.heads_total)}"
    if found.reach == "reachable":
        return f"not in the newest version of any ref; in the history of {_some(found.refs[:2], found.refs_total)}"
    if found.reach == "reflog":
        return "reached by no ref, only by a reflog or the like"
    return "reached by no ref: every copy made before still has it, and a host may serve it by its id"


def _touch(one: Touch) -> str:
    pushed = "" if one.pushed is None else f", pushed {one.pushed}"
    by = f" by {one.pushed_by}" if one.pushed_by else ""
    return f"{one.committed} by {one.author}, commit {one.commit[:12]}{pushed}{by}"


def _some(names: Sequence[str], total: int) -> str:
    more = total - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _indented(text: str, margin: str = " " * 10) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - len(margin), break_long_words=False, break_on_hyphens=False):
        yield f"{margin}{_shown(line)}"


def _work(report: Report) -> str:
    totals = report.totals
    looked = [_count(count, name) for count, name in ((totals.objects, "object"), (totals.files, "file")) if count]
    rate = report.end()["bytes_per_second"]
    cached = f", {_count(totals.cached, 'unit')} known from before" if totals.cached else ""
    return (
        f"Looked into {' and '.join(looked) or 'nothing'}, {_bytes(totals.bytes_inflated)}, in "
        f"{report.seconds:.1f} s ({_bytes(rate)}/s, {report.cpu_seconds:.1f} s of processor time{cached})."
    )


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _bytes(number: float) -> str:
    for unit in _UNITS:
        if number < _STEP or unit == _UNITS[-1]:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= _STEP
    return ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
