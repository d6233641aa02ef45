"""Corrections for Apache Spark; the rules are in :mod:`holdfast.engines.carrying`."""

from __future__ import annotations

import re

from sqlglot import exp

from holdfast.engines.trees import (
    Change,
    Tree,
    bottom_up,
    call,
    concatenated,
    filter_texts,
    filtered,
    is_null,
    letter,
    literal_of,
    name_values,
    ranked,
)

_X = exp.to_identifier("x")
_FORMATS = {"Y": "yyyy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss"}


def corrected(tree: Tree) -> Tree:
    """The tree as Spark must have it."""
    name_values(tree)
    filter_texts(tree)
    _order_outside(tree)
    return bottom_up(tree, _CHANGES)


def pattern(text: str) -> str:
    """A regular expression of RE2 as Java's: the very end, and lines that end with a line feed only."""
    found, inside, at = [], False, 0
    while at < len(text):
        letter = text[at]
        step = 2 if letter == "\\" else 1
        piece = text[at : at + step]
        inside = piece == "[" or (inside and piece != "]")
        found.append(r"\z" if piece == "$" and not inside else piece)
        at += step
    return ("(?du)" if "(?i" in text else "(?d)") + "".join(found)


def _order_outside(tree: Tree) -> None:
    """Sort what is grouped by columns of its own: Spark mixes up a result with the column of the same name."""
    for select in list(tree.find_all(exp.Select)):
        order = select.args.get("order")
        if order is None or select.args.get("group") is None:
            continue
        names = {one.alias_or_name for one in select.expressions}
        if all(
            isinstance(key.this, exp.Column) and not key.this.table and key.this.name in names
            for key in order.expressions
        ):
            continue
        _sorted_outside(select, order)


def _sorted_outside(select: exp.Select, order: exp.Order) -> None:
    names = [one.alias_or_name for one in select.expressions]
    for place, key in enumerate(order.expressions):
        plain = isinstance(key.this, exp.Column) and not key.this.table and key.this.name in names
        if isinstance(key.this, exp.Literal):
            key.set("this", exp.column(names[int(key.this.name) - 1], quoted=True))
        elif not plain:
            select.append("expressions", exp.alias_(key.this.copy(), f"_sort_{place}"))
            key.set("this", exp.column(f"_sort_{place}"))
    inner = select.copy()
    for part in ("order", "limit", "offset", "with_"):
        inner.set(part, None)
    outer = exp.select(*[exp.column(name, quoted=True) for name in names]).from_(inner.subquery("grouped", copy=False))
    for part in ("order", "limit", "offset", "with_"):
        outer.set(part, select.args.get(part))
    select.args.clear()
    for part, value in outer.args.items():
        select.set(part, value)


def _arg_by(name: str) -> Change:
    def change(node: Tree) -> Tree:
        value, key = node.this, node.expression
        by = call("struct", *ranked(key)) if isinstance(key, exp.Tuple) else key.copy()
        return filtered(call(name, value, by), exp.Not(this=is_null(value)))

    return change


def _filter(node: Tree) -> Tree:
    """Two filters, of the query and of a correction, are one."""
    inner = node.this
    if isinstance(inner, exp.Filter):
        both = exp.and_(inner.expression.this, node.expression.this)
        return filtered(inner.this.copy(), both)
    return node


def _regexp(node: Tree) -> Tree:
    literal_of(node.expression, pattern)
    return node


def _regexp_replace(node: Tree) -> Tree:
    literal_of(node.expression, pattern)
    return call("regexp_replace", node.this, node.expression, node.args["replacement"])


def _full_match(node: Tree) -> Tree:
    return exp.RegexpLike(this=node.this.copy(), expression=exp.convert(pattern(f"^(?:{node.expression.name})$")))


def _group_concat(node: Tree) -> Tree:
    """Texts joined from arrays: Spark's own fails beside a count of what is distinct."""
    order, mark = node.this, node.args.get("separator") or exp.convert(",")
    value = order.this
    if isinstance(value, exp.Distinct):
        value = value.expressions[0]
        texts: exp.Expr = call("array_sort", call("collect_set", value))
    else:
        keys = [part for one in order.expressions for part in ranked(one.this)]
        fields = [one for place, key in enumerate(keys) for one in (f"k{place}", key)]
        pairs = call("collect_list", call("named_struct", *fields, "text", value))
        some = filtered(pairs, exp.Not(this=is_null(value)))
        text = exp.Lambda(this=exp.Dot(this=exp.column("x"), expression=exp.to_identifier("text")), expressions=[_X])
        texts = call("transform", call("array_sort", some), text)
    joined = call("array_join", texts, mark)
    return call("if", exp.EQ(this=exp.Count(this=value.copy()), expression=exp.convert(0)), exp.null(), joined)


def _like(node: Tree) -> Tree:
    if not isinstance(node.parent, exp.Escape):
        literal_of(node.expression, lambda text: text.replace("\\", "\\\\"))
    return node


def _series(node: Tree) -> Tree:
    start, end = node.args["start"], node.args["end"]
    empty = call("array")
    return call("if", exp.LT(this=end.copy(), expression=start.copy()), empty, call("sequence", start, end))


def _time(node: Tree) -> Tree:
    quoted = re.sub(r"[A-Za-z]+", lambda found: f"'{found[0]}'", re.sub(r"%[A-Za-z]", "\0", node.args["format"].name))
    letters = iter(re.findall(r"%([A-Za-z])", node.args["format"].name))
    java = re.sub("\0", lambda _: _FORMATS[next(letters)], quoted)
    return call("date_format", call("timestamp_micros", node.this.this), java)


def _int_div(node: Tree) -> Tree:
    divisor = node.expression
    if not isinstance(divisor, exp.Literal):
        node.set("expression", exp.Nullif(this=exp.paren(divisor.copy()), expression=exp.convert(0)))
    return node


_CHANGES: dict[type[exp.Expr], Change] = {
    exp.ArgMin: _arg_by("min_by"),
    exp.ArgMax: _arg_by("max_by"),
    exp.Filter: _filter,
    exp.RegexpLike: _regexp,
    exp.RegexpExtract: _regexp,
    exp.RegexpReplace: _regexp_replace,
    exp.Chr: letter,
    exp.Concat: lambda node: concatenated(node, "STRING"),
    exp.RegexpFullMatch: _full_match,
    exp.GroupConcat: _group_concat,
    exp.Like: _like,
    exp.ILike: _like,
    exp.GenerateSeries: _series,
    exp.TimeToStr: _time,
    exp.IntDiv: _int_div,
    exp.Mod: _int_div,
}
