"""What the library's SQL may use: constructs that give equal results on DuckDB, Spark and ClickHouse.

Each was run over hostile rows (nulls, ties, empty and multi-line texts, backslashes, quotes, JSON with missing paths)
on all three (``tests/contract/test_carrying.py``). What is not listed is refused by name, so a query that would answer
differently elsewhere fails before it is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    {
        *(exp.Count, exp.Sum, exp.Min, exp.Max, exp.LogicalOr, exp.LogicalAnd, exp.ArgMin, exp.ArgMax, exp.GroupConcat),
        *(exp.Case, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.If, exp.Cast, exp.TryCast, exp.Exists),
        *(exp.Concat, exp.ConcatWs, exp.Lower, exp.Length, exp.Substring, exp.Left, exp.Right, exp.StrPosition),
        *(exp.Replace, exp.Trim, exp.SplitPart, exp.Contains, exp.StartsWith, exp.EndsWith, exp.Pad, exp.Repeat),
        *(exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace, exp.RegexpFullMatch, exp.MD5, exp.Abs, exp.Sign),
        *(exp.JSONExtractScalar, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead),
        *(exp.FirstValue, exp.LastValue, exp.Explode, exp.GenerateSeries, exp.TimeToStr, exp.UnixToTime, exp.Chr),
        *(exp.And, exp.Or),
    }
)
"""Functions, as sqlglot calls them."""
FORMATS = frozenset("YmdHMS")
"""Letters of ``strftime``."""
_REFUSED: dict[type[exp.Expr], str] = {
    exp.Div: "/ (use // for whole numbers)",
    exp.SimilarTo: "SIMILAR TO",
    exp.Glob: "GLOB",
    exp.Array: "arrays",
    exp.Bracket: "arrays",
    exp.Lambda: "lambdas",
    exp.Pivot: "PIVOT",
    exp.Collate: "COLLATE",
    exp.Unnest: "unnest in FROM (write SELECT …, unnest(generate_series(a, b)) AS h)",
    exp.Lateral: "LATERAL",
    exp.JSONPathWildcard: "* in a JSON path",
    exp.Placeholder: "parameters",
    exp.Parameter: "parameters",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "xor",
}
_LITERAL = (exp.Literal,)


def parse(sql: str) -> exp.Expression:
    """The library's SQL as a tree."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Expression)
    return tree


def faults(sql: str) -> list[str]:
    """What of a query is not known to give equal results everywhere; empty when it may ship."""
    try:
        return sorted(set(_faults(parse(sql))))
    except SqlglotError as error:
        return [f"what sqlglot cannot read: {str(error)[:200]}"]


def _faults(tree: exp.Expression) -> Iterator[str]:
    if not isinstance(tree, exp.Query):
        yield f"a {tree.key} statement"
    for node in tree.walk():
        if type(node) in _REFUSED:
            yield _REFUSED[type(node)]
        elif isinstance(node, exp.Anonymous):
            yield f"{node.name.lower()}()"
        elif isinstance(node, exp.Func) and type(node) not in FUNCTIONS:
            yield f"{node.sql_name().lower()}()"
        else:
            yield from _misused(node)


def _misused(node: exp.Expr) -> Iterator[str]:
    check = _CHECKS.get(type(node))
    if check is not None:
        yield from check(node)


def _distinct(node: exp.Expr) -> Iterator[str]:
    if node.args.get("on") is not None:
        yield "DISTINCT ON (use QUALIFY row_number())"
    if isinstance(node.parent, exp.AggFunc) and isinstance(node.parent.parent, exp.Window):
        yield "DISTINCT in a window"


def _with(node: exp.Expr) -> Iterator[str]:
    if node.args.get("recursive"):
        yield "WITH RECURSIVE (make it a closure)"


def _join(node: exp.Expr) -> Iterator[str]:
    method = node.args.get("method")
    if method:
        yield f"{method} JOIN"


def _in(node: exp.Expr) -> Iterator[str]:
    if any(isinstance(one, exp.Null) for one in node.expressions):
        yield "NULL inside IN (…)"
    if node.args.get("query") is not None and not _only_asked(node):
        yield "IN (SELECT …) that is negated or a result (use EXISTS)"


def _only_asked(node: exp.Expr) -> bool:
    """Whether null and false come to the same: in a condition, with nothing around it that tells them apart."""
    above = node.parent
    while isinstance(above, (exp.And, exp.Or, exp.Paren)):
        above = above.parent
    return isinstance(above, (exp.Where, exp.Having, exp.Qualify, exp.Join, exp.If))


def _equal(node: exp.Expr) -> Iterator[str]:
    if isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple):
        yield "a comparison of tuples"


def _limit(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.expression, exp.Literal) or node.args.get("limit_options") is not None:
        yield "LIMIT of anything but a number"


def _table(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.this, exp.Identifier) or node.args.get("db") is not None:
        yield f"{node.sql('duckdb')[:40]} as a table"


def _cte(node: exp.Expr) -> Iterator[str]:
    if node.args["alias"].columns and not isinstance(node.this.find(exp.Values), exp.Values):
        yield "WITH name(columns) (name them in the SELECT)"


def _pattern(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.expression, _LITERAL):
        yield f"{node.key} with a pattern that is not a literal"


def _regexp(node: exp.Expr) -> Iterator[str]:
    yield from _pattern(node)
    flags = node.args.get("flag") or node.args.get("parameters")
    if flags is not None:
        yield "flags of a regular expression (write (?i) in it)"
    if "(?P<" in node.expression.name:
        yield "named groups in a regular expression"


def _regexp_replace(node: exp.Expr) -> Iterator[str]:
    yield from _pattern(node)
    modifiers, replacement = node.args.get("modifiers"), node.args.get("replacement")
    once = node.expression.name.startswith("^") and "|" not in node.expression.name
    if not once and (modifiers is None or modifiers.name != "g"):
        yield "regexp_replace() without 'g' of what is not bound to the start"
    if not isinstance(replacement, _LITERAL) or set(replacement.name) & {"\\", "$"}:
        yield "regexp_replace() with groups in the replacement"


def _time(node: exp.Expr) -> Iterator[str]:
    letters = node.args["format"].name
    unknown = {letters[i + 1] for i, letter in enumerate(letters[:-1]) if letter == "%"} - FORMATS
    if unknown:
        yield f"strftime() with %{', %'.join(sorted(unknown))}"


def _time_of(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.parent, exp.TimeToStr):
        yield "make_timestamp() outside strftime()"


def _type(node: exp.Expr) -> Iterator[str]:
    kind = node.args["to"]
    if not kind.is_type("bigint", "int", "varchar", "text", "boolean"):
        yield f"a cast to {kind.sql('duckdb').lower()}"
    if kind.is_type("varchar", "text") and isinstance(node.this.unnest(), exp.Predicate):
        yield "a comparison cast to text (use CASE)"


def _group_concat(node: exp.Expr) -> Iterator[str]:
    order = node.this if isinstance(node.this, exp.Order) else None
    if order is None:
        yield "string_agg() without ORDER BY"
    elif any(one.args.get("desc") for one in order.expressions):
        yield "string_agg() in descending order"

    elif isinstance(order.this, exp.Distinct) and order.this.expressions != [one.this for one in order.expressions]:
        yield "string_agg(DISTINCT x) in another order than of x"


def _arg_by(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.expression, exp.Tuple) and node.expression.name != "row_id":
        yield f"{node.key}() by a key that may have ties (write (time_us, row_id))"


def _frame(node: exp.Expr) -> Iterator[str]:
    offsets = (node.args.get(side) for side in ("start", "end"))
    wide = [one.name for one in offsets if isinstance(one, exp.Literal) and int(one.name) >= 1 << 31]
    if str(node.args.get("kind")).upper() == "RANGE" and wide:
        yield f"a RANGE frame of {wide[0]} (order by whole seconds)"


def _chr(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.expressions[0], exp.Literal):
        yield "chr() of anything but a number"


def _star(node: exp.Expr) -> Iterator[str]:
    if node.args.get("replace") or node.args.get("rename"):
        yield "* REPLACE"


def _series(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.this, exp.GenerateSeries) or node.this.args.get("is_end_exclusive"):
        yield "unnest() of anything but generate_series()"


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], Iterator[str]]] = {
    exp.Distinct: _distinct,
    exp.With: _with,
    exp.Join: _join,
    exp.In: _in,
    exp.EQ: _equal,
    exp.NEQ: _equal,
    exp.Limit: _limit,
    exp.Table: _table,
    exp.CTE: _cte,
    exp.Like: _pattern,
    exp.ILike: _pattern,
    exp.RegexpLike: _regexp,
    exp.RegexpExtract: _regexp,
    exp.RegexpFullMatch: _regexp,
    exp.ArgMin: _arg_by,
    exp.ArgMax: _arg_by,
    exp.RegexpReplace: _regexp_replace,
    exp.TimeToStr: _time,
    exp.UnixToTime: _time_of,
    exp.Cast: _type,
    exp.TryCast: _type,
    exp.GroupConcat: _group_concat,
    exp.Chr: _chr,
    exp.WindowSpec: _frame,
    exp.Star: _star,
    exp.Explode: _series,
}
