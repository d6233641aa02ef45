"""Sigma rules from the user's own folder, converted by pySigma's SQLite backend and run on any engine.

pySigma and the backend are an extra (``pip install 'holdfast[sigma]'``). What the backend gives is SQLite's SQL; it is
taken apart and spelt so that every engine answers alike: fields become columns, LIKE becomes comparisons in small
letters (SQLite's LIKE ignores case, others' does not), REGEXP becomes ``regexp_matches``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import sqlglot
import yaml
from sqlglot import exp

from holdfast.app.ports_investigation import Engine
from holdfast.investigation.sigma import LogSource, Refused, Rule, SigmaSet, logsource
from holdfast.kernel.errors import NotFoundError, UnavailableError

LARGEST = 256 * 1024
"""Bytes of the largest rule file that is read."""
MOST = 20_000
"""Rule files that are read from one folder."""


class _RefusedError(Exception):
    """A rule cannot be run; the message says why."""


def sigma_rules(folder: Path) -> SigmaSet:
    """Every rule below a folder, ready to run or refused with the reason.

    Raises:
        UnavailableError: ``sigma-not-installed``.
        NotFoundError: ``sigma-folder-not-found``.
    """
    convert = _converter()
    if not folder.is_dir():
        raise NotFoundError(
            "sigma-folder-not-found",
            f"There is no folder {folder}.",
            why="Rules are read from your own copy of a rule set.",
            next_step="Name the folder that holds the rule files (.yml).",
        )
    rules: list[Rule] = []
    refused: list[Refused] = []
    for path in _files(folder, refused):
        name = path.relative_to(folder).as_posix()
        for document, trouble in _documents(path):
            title = str((document or {}).get("title") or name)
            if document is None or trouble:
                refused.append(Refused(name, title, trouble or "it is no rule"))
                continue
            try:
                rules.append(_rule(document, name, convert))
            except _RefusedError as why:
                refused.append(Refused(name, title, str(why)))
    return SigmaSet(tuple(rules), tuple(refused))


def hits(engine: Engine, rules: SigmaSet) -> tuple[list[dict[str, Any]], list[Refused]]:
    """Events that rules fit, by rule and time, and every rule that was not run.

    A rule the engine does not take is refused like one that does not convert; the others still run.
    """
    found: list[dict[str, Any]] = []
    refused = list(rules.refused)
    for rule in rules.rules:
        try:
            rows = engine.rows(rule.sql)
        except Exception as error:  # noqa: BLE001 - each engine has errors of its own, and one rule must not stop the rest
            refused.append(Refused(rule.file, rule.title, f"the engine does not take it: {str(error)[:200]}"))
            continue
        about = {
            "rule_id": rule.id,
            "title": rule.title,
            "level": rule.level,
            "tags": " ".join(rule.tags),
            "file": rule.file,
        }
        found += [{**about, **row} for row in rows]
    return found, refused


def _converter() -> Any:  # noqa: ANN401 - pySigma is an extra
    try:
        from sigma.backends.sqlite.sqlite import sqliteBackend  # noqa: PLC0415 - an extra, loaded when asked for
        from sigma.collection import SigmaCollection  # noqa: PLC0415 - likewise
        from sigma.exceptions import SigmaError  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise UnavailableError(
            "sigma-not-installed",
            "Sigma rules cannot be read here.",
            why=f"The packages for it cannot be loaded ({error}).",
            next_step="Install them with pip install 'holdfast[sigma]'.",
        ) from None

    backend: Any = sqliteBackend
    backend = backend()  # it has no types

    def convert(document: Mapping[str, Any]) -> str:
        try:
            found = backend.convert(SigmaCollection.from_dicts([dict(document)]))
        except (SigmaError, NotImplementedError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise _RefusedError(f"it does not convert: {str(error)[:200]}") from None
        if len(found) != 1 or not isinstance(found[0], str):
            raise _RefusedError("it does not convert to one query")
        return found[0]

    return convert


def _files(folder: Path, refused: list[Refused]) -> Iterator[Path]:
    number = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".yml", ".yaml") or path.is_symlink() or not path.is_file():
            continue
        number += 1
        name = path.relative_to(folder).as_posix()
        if number > MOST:
            refused.append(Refused(name, name, f"only {MOST} files are read; this and later ones are not"))
            return
        if path.stat().st_size > LARGEST:
            refused.append(Refused(name, name, f"the file is larger than {LARGEST} bytes"))
            continue
        yield path


def _documents(path: Path) -> list[tuple[dict[str, Any] | None, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        found = list(yaml.safe_load_all(text))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        return [(None, f"it cannot be read: {str(error).splitlines()[0][:200]}")]
    return [(one, "") if isinstance(one, dict) else (None, "it is no rule") for one in found if one is not None]


def _rule(document: Mapping[str, Any], name: str, convert: Any) -> Rule:  # noqa: ANN401 - see _converter
    if "correlation" in document:
        raise _RefusedError("it joins several rules, which is not supported")
    about = document.get("logsource")
    about = about if isinstance(about, Mapping) else {}
    place = logsource(about.get("product"), about.get("service"))
    if place is None:
        named = " ".join(str(about[key]) for key in ("product", "category", "service") if about.get(key))
        raise _RefusedError(f"its log is not one that is read here: {named or 'none named'}")
    tags = document.get("tags")
    return Rule(
        id=str(document.get("id") or name),
        title=str(document.get("title") or name),
        level=str(document.get("level") or "unknown"),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        file=name,
        sql=_query(convert(document), place),
    )


def _query(sqlite: str, place: LogSource) -> str:
    """The backend's query as one over the activity table."""
    try:
        tree = sqlglot.parse_one(sqlite, read="sqlite")
    except sqlglot.errors.SqlglotError:
        raise _RefusedError("what it converts to cannot be read") from None
    where = tree.args.get("where")
    if not isinstance(tree, exp.Select) or where is None or tree.find(exp.Subquery, exp.Join, exp.Group):
        raise _RefusedError("it does not convert to a plain condition")
    spelt = where.this.transform(_spelt)
    asked: dict[str, str] = {}
    for column in list(spelt.find_all(exp.Column)):
        field = ".".join(part.name for part in column.parts)
        known = place.sql(field)
        if known is None:
            raise _RefusedError(f"it reads the field {field}, which has no place here")
        if field not in asked:
            asked[field] = f"f{len(asked)}"
    renamed = spelt.transform(
        lambda node: (
            exp.column(asked[".".join(part.name for part in node.parts)]) if isinstance(node, exp.Column) else node
        )
    )
    fields = "".join(f", {place.sql(field)} AS {name}" for field, name in asked.items())
    inner = f"SELECT row_id, time_us, actor_uid, operation{fields} FROM activity WHERE source = '{place.source}'"  # noqa: S608 - our own mapping
    condition = renamed.sql("duckdb")
    return f"SELECT row_id, time_us, actor_uid, operation FROM ({inner}) AS told WHERE {condition} ORDER BY row_id"  # noqa: S608 - a parsed condition over known fields


def _spelt(node: exp.Expression) -> exp.Expression:
    """One part of a condition as every engine reads it."""
    if isinstance(node, exp.Escape) and isinstance(node.this, exp.Like):
        return _like(node.this, node.expression.name)
    if isinstance(node, exp.Like) and not isinstance(node.parent, exp.Escape):
        return _like(node, "")
    if isinstance(node, exp.RegexpLike):
        return _matches(node.this, node.expression)
    if isinstance(node, exp.Coalesce) and [part.name for part in node.expressions] == ["0"]:
        return exp.Coalesce(this=node.this, expressions=[exp.false()])
    return _compared(node)


def _compared(node: exp.Expression) -> exp.Expression:
    """Numbers: the table holds text, so an order is one of numbers and equality is one of texts."""
    if isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE) and isinstance(node.this, exp.Column):
        number = exp.TryCast(this=node.this.copy(), to=exp.DataType.build("BIGINT"))
        return type(node)(this=number, expression=node.expression)
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Literal) and not node.expression.is_string:
        return exp.EQ(this=node.this, expression=exp.Literal.string(node.expression.name))
    return node


def _matches(field: exp.Expression, pattern: exp.Expression) -> exp.Expression:
    made: Any = exp.func("regexp_matches", field, pattern, dialect="duckdb")
    return cast("exp.Expression", made)


def _like(node: exp.Expression, escape: str) -> exp.Expression:
    """A LIKE pattern as a comparison in small letters: the start, the end or a part, else a regular expression."""
    if not isinstance(node.expression, exp.Literal):
        raise _RefusedError("it compares one field with a pattern in another")
    told = list(_signs(node.expression.name, escape))
    letters = "".join(sign for sign, wild in told if not wild).lower()
    wild = [place for place, (_, wild) in enumerate(told) if wild]
    field = exp.Lower(this=node.this)
    single = any(wild and sign == "_" for sign, wild in told)
    if not single and wild == [0, len(told) - 1] and len(told) > 1:
        return exp.GT(
            this=exp.func("strpos", field, exp.Literal.string(letters), dialect="duckdb"), expression=_number(0)
        )
    if not single and wild == [len(told) - 1]:
        return exp.EQ(
            this=exp.Left(this=field, expression=_number(len(letters))), expression=exp.Literal.string(letters)
        )
    if not single and wild == [0]:
        return exp.EQ(
            this=exp.Right(this=field, expression=_number(len(letters))), expression=exp.Literal.string(letters)
        )
    if not wild:
        return exp.EQ(this=field, expression=exp.Literal.string(letters))
    text = "".join({"%": ".*", "_": "."}[sign] if wild else re.escape(sign) for sign, wild in told)
    pattern = exp.Literal.string(f"(?s)^{text.lower()}$")
    return _matches(field, pattern)


def _number(value: int) -> exp.Expression:
    return exp.Literal.number(value)


def _signs(pattern: str, escape: str) -> Iterator[tuple[str, bool]]:
    """The signs of a LIKE pattern, each with whether it stands for others."""
    rest = iter(pattern)
    for sign in rest:
        if escape and sign == escape:
            yield next(rest, sign), False
        else:
            yield sign, sign in "%_"
