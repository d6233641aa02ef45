"""Parts of questions, steps and gates beside their definitions, as every surface shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from holdfast.app.ports import Texts
from holdfast.app.work import ERASED
from holdfast.kernel.citations import Citation
from holdfast.kernel.parts import Part, Settled, Standing
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class PartShown:
    """One part and how it stands."""

    key: str
    name: str
    hint: str
    standing: Standing
    citations: tuple[Citation, ...]
    reason: Sealed | None
    by: str | None
    at: datetime | None
    seq: int | None


def part_shown(part: Part, settled: Settled | None) -> PartShown:
    """A part beside its settlement, if it has one."""
    if settled is None:
        return PartShown(part.key, part.name, part.hint, "open", (), None, None, None, None)
    return PartShown(
        part.key,
        part.name,
        part.hint,
        settled.standing,
        settled.citations,
        settled.reason,
        settled.by,
        settled.at,
        settled.seq,
    )


def reader(texts: Texts, first: Iterable[Sealed | None] = ()) -> Callable[[Sealed | None], str]:
    """What reads sealed words: ``first`` in one go, the rest as it is asked for; erased ones as their tombstone."""
    wanted = [sealed.text_id for sealed in first if sealed is not None]
    known = dict(texts.read(wanted)) if wanted else {}

    def read(sealed: Sealed | None) -> str:
        if sealed is None:
            return ""
        if sealed.text_id not in known:
            known[sealed.text_id] = texts.read([sealed.text_id]).get(sealed.text_id, ERASED)
        return known[sealed.text_id]

    return read
