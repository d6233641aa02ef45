"""Corrections for ClickHouse; the rules are in :mod:`holdfast.engines.carrying`."""

from __future__ import annotations

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

PREFIX = "t_"
"""What every table's name starts with, so that no alias is hidden by a table of that name."""
_BOOL = "Nullable(Bool)"
_TRUTHS = (exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.LogicalOr, exp.LogicalAnd)
_TRUE_CALLS = frozenset({"match", "startsWith", "endsWith"})


def corrected(tree: Tree) -> Tree:
    """The tree as ClickHouse must have it."""
    name_values(tree)
    filter_texts(tree)
    _order_by_place(tree)
    _name_results(tree)
    _rename_tables(tree)
    return bottom_up(tree, _CHANGES)


def _name_results(tree: Tree) -> None:
    """Give results their plain names, and truth values their type."""
    for select in tree.find_all(exp.Select):
        for one in list(select.expressions):
            value = one.unalias()
            name = one.alias_or_name
            if isinstance(value.unnest(), (*_TRUTHS, exp.RegexpLike, exp.Contains, exp.StartsWith, exp.EndsWith)):
                value = call("CAST", value, _BOOL)
            elif not (isinstance(one, exp.Column) and one.table and not isinstance(one.this, exp.Star)):
                continue
            if name:
                one.replace(exp.alias_(value.copy(), name, quoted=True))


def _rename_tables(tree: Tree) -> None:
    for table in tree.find_all(exp.Table):
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))
        table.set("alias", alias.copy())
        table.set("this", exp.to_identifier(PREFIX + table.name, quoted=True))
    for common in tree.find_all(exp.CTE):
        common.args["alias"].set("this", exp.to_identifier(PREFIX + common.alias, quoted=True))


def _order_by_place(tree: Tree) -> None:
    """An order by the name of a result means the result, also where a column has that name."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is None or select.is_star:
            continue
        places = {one.alias: place for place, one in enumerate(select.expressions, 1) if isinstance(one, exp.Alias)}
        for key in order.expressions:
            if isinstance(key.this, exp.Column) and not key.this.table and key.this.name in places:
                key.set("this", exp.convert(places[key.this.name]))


def _named(name: str, *keys: str) -> Change:
    def change(node: Tree) -> Tree:
        return call(name, *[node.args[key] for key in keys if node.args.get(key) is not None])

    return change


def _counted(name: str, *keys: str) -> Change:
    """A function that counts, as Int64."""
    plain = _named(name, *keys)
    return lambda node: call("toInt64", plain(node))


def _count(node: Tree) -> Tree:
    """Wrap what counts as a whole: with its filter and window."""
    outer = node.parent
    if isinstance(outer, (exp.Filter, exp.Window)):
        return node
    return call("toInt64", node)


def _filter(node: Tree) -> Tree:
    inner = node.this
    if isinstance(inner, exp.Filter):
        return filtered(inner.this.copy(), exp.and_(inner.expression.this, node.expression.this))
    if isinstance(inner, exp.Count) and not isinstance(node.parent, exp.Window):
        return call("toInt64", node)
    return node


def _window(node: Tree) -> Tree:
    inner = node.this.this if isinstance(node.this, exp.Filter) else node.this
    if isinstance(inner, (exp.FirstValue, exp.LastValue)):
        inner.replace(exp.RespectNulls(this=inner.copy()))
    if isinstance(inner, (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank)):
        return call("toInt64", node)
    return node


def _arg_by(name: str) -> Change:
    def change(node: Tree) -> Tree:
        value, key = node.this, node.expression
        by = call("tuple", *ranked(key)) if isinstance(key, exp.Tuple) else key
        return filtered(call(name, value, by), exp.Not(this=is_null(value)))

    return change


def _extract(node: Tree) -> Tree:
    steps: list[exp.Expr | str | int] = []
    arrays: list[exp.Expr] = []
    for part in node.expression.expressions:
        if isinstance(part, exp.JSONPathSubscript):
            arrays.append(exp.EQ(this=call("JSONType", node.this, *steps), expression=exp.convert("Array")))
            steps.append(int(part.this) + 1)
        elif not isinstance(part, exp.JSONPathRoot):
            steps.append(str(part.this))
    value = call("JSONExtract", node.this, *steps, "Nullable(String)")
    return call("if", exp.and_(*arrays), value, exp.null()) if arrays else value


def _try_cast(node: Tree) -> Tree:
    if node.args["to"].is_type("bigint", "int"):
        return call("toInt64OrNull", call("trimBoth", call("toString", node.this)))
    return node


def _split_part(node: Tree) -> Tree:
    text = node.this
    pieces = call("splitByString", node.args["delimiter"], call("assumeNotNull", text))
    piece = call("arrayElement", pieces, node.args["part_index"])
    return call("if", is_null(text), exp.null(), piece)


def _concat_ws(node: Tree) -> Tree:
    mark, *texts = node.expressions
    some = exp.Lambda(this=call("isNotNull", exp.column("x")), expressions=[exp.to_identifier("x")])
    return call("arrayStringConcat", call("arrayFilter", some, call("array", *texts)), mark)


def _group_concat(node: Tree) -> Tree:
    """Texts in order, joined: of pairs (rank, text) the texts, or simply the sorted distinct ones."""
    order, mark = node.this, node.args.get("separator") or exp.convert(",")
    value = order.this
    if isinstance(value, exp.Distinct):
        value = value.expressions[0]
        texts: exp.Expr = call("arraySort", call("groupUniqArray", value))
    else:
        keys = [part for one in order.expressions for part in ranked(one.this)]
        pairs = call("groupArrayIf", call("tuple", *keys, call("assumeNotNull", value)), call("isNotNull", value))
        last = call("tupleElement", exp.column("x"), len(keys) + 1)
        text = exp.Lambda(this=last, expressions=[exp.to_identifier("x")])
        texts = call("arrayMap", text, call("arraySort", pairs))
    joined = call("arrayStringConcat", texts, mark)
    return call("if", exp.EQ(this=exp.Count(this=value.copy()), expression=exp.convert(0)), exp.null(), joined)


def _pad(node: Tree) -> Tree:
    name = "leftPadUTF8" if node.args.get("is_left") else "rightPadUTF8"
    return call(name, node.this, node.expression, node.args["fill_pattern"])


def _regexp_replace(node: Tree) -> Tree:
    return call("replaceRegexpAll", node.this, _line_wise(node.expression), node.args["replacement"])


def _regexp(node: Tree) -> Tree:
    return call("match", node.this, _line_wise(node.expression))


def _regexp_extract(node: Tree) -> Tree:
    node.set("expression", _line_wise(node.expression))
    return node


def _line_wise(wanted: exp.Expr) -> exp.Expr:
    return exp.convert(f"(?-s){wanted.name}")


def _full_match(node: Tree) -> Tree:
    return call("match", node.this, f"^(?-s)(?:{node.expression.name})$")


def _like(node: Tree) -> Tree:
    if not isinstance(node.parent, exp.Escape):
        literal_of(node.expression, lambda text: text.replace("\\", "\\\\"))
    return node


def _series(node: Tree) -> Tree:
    start, end = node.args["start"], node.args["end"]
    known = [call("assumeNotNull", call("toInt64", one)) for one in (start, end)]
    full = call("range", known[0], exp.Add(this=known[1], expression=exp.convert(1)))
    return call("if", exp.or_(is_null(start), is_null(end)), call("emptyArrayInt64"), full)


def _time(node: Tree) -> Tree:
    wanted = node.args["format"].name.replace("%M", "%i")
    return call("formatDateTime", call("fromUnixTimestamp64Micro", call("toInt64", node.this.this)), wanted)


def _int_div(node: Tree) -> Tree:
    return call("intDiv", node.this, _not_zero(node.expression))


def _mod(node: Tree) -> Tree:
    return call("modulo", node.this, _not_zero(node.expression))


def _not_zero(divisor: exp.Expr) -> exp.Expr:
    return divisor if isinstance(divisor, exp.Literal) else call("nullIf", divisor, 0)


def _in(node: Tree) -> Tree:
    """A list with columns in it, as comparisons: ClickHouse's takes a null among them for no match."""
    if all(isinstance(one, (exp.Literal, exp.Neg)) for one in node.expressions) or node.args.get("query") is not None:
        return node
    return exp.paren(exp.or_(*[exp.EQ(this=node.this.copy(), expression=one.copy()) for one in node.expressions]))


def _subquery(node: Tree) -> Tree:
    """A correlated count over nothing is 0; ClickHouse gives null."""
    select = node.this
    single = isinstance(select, exp.Select) and len(select.expressions) == 1
    is_value = not isinstance(node.parent, (exp.From, exp.Join, exp.In, exp.SetOperation))
    if single and is_value and isinstance(select.expressions[0].unalias(), exp.Anonymous):
        counted = select.expressions[0].unalias()
        if counted.name == "toInt64" and isinstance(counted.expressions[0], (exp.Count, exp.Filter)):
            return call("ifNull", node, 0)
    return node


_CHANGES: dict[type[exp.Expr], Change] = {
    exp.Count: _count,
    exp.Filter: _filter,
    exp.Window: _window,
    exp.ArgMin: _arg_by("argMin"),
    exp.ArgMax: _arg_by("argMax"),
    exp.LogicalOr: lambda node: exp.Max(this=node.this.copy()),
    exp.LogicalAnd: lambda node: exp.Min(this=node.this.copy()),
    exp.GroupConcat: _group_concat,
    exp.JSONExtractScalar: _extract,
    exp.TryCast: _try_cast,
    exp.SplitPart: _split_part,
    exp.In: _in,
    exp.Chr: letter,
    exp.Concat: lambda node: concatenated(node, "Nullable(String)"),
    exp.RegexpFullMatch: _full_match,
    exp.ConcatWs: _concat_ws,
    exp.Lower: _named("lowerUTF8", "this"),
    exp.Length: _counted("lengthUTF8", "this"),
    exp.Substring: _named("substringUTF8", "this", "start", "length"),
    exp.Left: _named("leftUTF8", "this", "expression"),
    exp.Right: _named("rightUTF8", "this", "expression"),
    exp.Pad: _pad,
    exp.StrPosition: _counted("positionUTF8", "this", "substr"),
    exp.RegexpLike: _regexp,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
    exp.Like: _like,
    exp.ILike: _like,
    exp.GenerateSeries: _series,
    exp.TimeToStr: _time,
    exp.IntDiv: _int_div,
    exp.Mod: _mod,
    exp.Subquery: _subquery,
}
