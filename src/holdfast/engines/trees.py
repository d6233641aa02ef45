"""Changing trees of SQL: shared by the engines' corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

Tree = exp.Expr
Change = Callable[[Tree], Tree]


def bottom_up(tree: Tree, changes: Mapping[type[exp.Expr], Change]) -> Tree:
    """Change every node of the types, children before parents; the changed tree.

    A change gives the node itself, changed in place or not, or a new one made of copies.
    """
    for node in reversed(list(tree.walk())):
        change = changes.get(type(node))
        if change is None:
            continue
        parent = node.parent
        changed = change(node)
        if changed is node:
            continue
        if parent is None:
            tree = changed
        else:
            node.replace(changed)
    return tree


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Anonymous:
    """A function of the other engine, by its name."""
    return exp.Anonymous(this=name, expressions=[_argument(one) for one in arguments])


def _argument(value: exp.Expr | str | int) -> exp.Expr:
    return value.copy() if isinstance(value, exp.Expr) else exp.convert(value)


def is_null(value: exp.Expr) -> exp.Is:
    """``value IS NULL``."""
    return exp.Is(this=exp.paren(value.copy(), copy=False), expression=exp.null())


def ranked(key: exp.Expr) -> list[exp.Expr]:
    """The parts by which a tuple is compared when a null ranks last: for each key whether it is null, and the key."""
    keys = key.expressions if isinstance(key, exp.Tuple) else [key]
    return [part for one in keys for part in (is_null(one), one.copy())]


def filtered(aggregate: exp.Expr, condition: exp.Expr) -> exp.Filter:
    """``aggregate FILTER (WHERE condition)``."""
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition))


def literal_of(pattern: exp.Expr, change: Callable[[str], str]) -> None:
    """Change a literal text where it stands."""
    assert isinstance(pattern, exp.Literal)
    pattern.set("this", change(pattern.name))


def filter_texts(tree: Tree) -> None:
    """A filter on joined texts becomes a condition on each text, because nulls are skipped."""
    for node in list(tree.find_all(exp.Filter)):
        joined = node.this
        if isinstance(joined, exp.GroupConcat):
            wanted = joined.this.this
            text = wanted.expressions[0] if isinstance(wanted, exp.Distinct) else wanted
            text.replace(exp.Case(ifs=[exp.If(this=node.expression.this.copy(), true=text.copy())]))
            node.replace(joined.copy())


def concatenated(node: exp.Expr, text: str) -> Tree:
    """``concat`` of anything, where null is nothing."""
    kind = exp.DataType.build(text, dialect="clickhouse") if text != "STRING" else exp.DataType.build("text")
    texts = [
        exp.Coalesce(this=exp.Cast(this=one.copy(), to=kind), expressions=[exp.convert("")]) for one in node.expressions
    ]
    return call("concat", *texts)


def letter(node: exp.Expr) -> Tree:
    """``chr(92)`` as the text it is."""
    return exp.convert(chr(int(node.expressions[0].name)))


def name_values(tree: Tree) -> None:
    """``WITH k(a, b) AS (VALUES …)``: sqlglot wraps the values, and the names belong inside."""
    for common in tree.find_all(exp.CTE):
        values = common.this.find(exp.Values)
        alias = common.args["alias"]
        if alias.columns and values is not None and values.alias == "_values":
            values.args["alias"].set("columns", [column.copy() for column in alias.columns])
            alias.set("columns", None)
