"""Writing out ``n.*``: ClickHouse calls what a star gives ``n.a`` when two joined tables have an ``a``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from holdfast.engines.trees import Tree

Names = Mapping[str, Sequence[str]]


def written_out(tree: Tree, tables: Names) -> Tree:
    """Replace every star of a select with joins by its columns; a star over what is not known stays.

    Args:
        tree: a query.
        tables: columns of the tables it reads.
    """
    known = dict(tables)
    for select in _inner_first(tree):
        sources = _sources(select, known)
        if select.args.get("joins") and select.is_star:
            select.set("expressions", [one for cell in select.expressions for one in _cells(cell, sources)])
        common = select.parent
        if isinstance(common, exp.CTE):
            known[common.alias] = _names(select, sources)
        elif isinstance(common, exp.SetOperation):
            above: exp.Expr | None = common
            while isinstance(above, exp.SetOperation):
                above = above.parent
            if isinstance(above, exp.CTE) and above.alias not in known:
                known[above.alias] = _names(select, sources)
    return tree


def _inner_first(tree: Tree) -> Iterator[exp.Select]:
    """Selects, those of an earlier common table before the ones that read it."""
    for node in tree.iter_expressions():
        yield from _inner_first(node) if not isinstance(node, exp.With) else ()
    common = tree.args.get("with_")
    if common is not None:
        yield from _inner_first(common)
    if isinstance(tree, exp.Select):
        yield tree


def _sources(select: exp.Select, known: Names) -> dict[str, Sequence[str] | None]:
    found: dict[str, Sequence[str] | None] = {}
    joins = [join.this for join in select.args.get("joins") or ()]
    start = select.args.get("from_")
    for source in ([start.this] if start is not None else []) + joins:
        if isinstance(source, exp.Table):
            found[source.alias_or_name] = known.get(source.name)
        elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select):
            found[source.alias] = _names(source.this, _sources(source.this, known))
        elif isinstance(source, exp.Values):
            found[source.alias] = [column.name for column in source.args["alias"].columns]
        else:
            found[source.alias_or_name] = None
    return found


def _names(select: exp.Select, sources: Mapping[str, Sequence[str] | None]) -> list[str]:
    return [one.alias_or_name for cell in select.expressions for one in _cells(cell, sources)]


def _cells(cell: exp.Expr, sources: Mapping[str, Sequence[str] | None]) -> list[exp.Expr]:
    """What a result stands for: itself, or the columns of a star."""
    star = cell.this if isinstance(cell, exp.Column) else cell
    if not isinstance(star, exp.Star):
        return [cell]
    wanted = [cell.table] if isinstance(cell, exp.Column) else list(sources)
    if any(sources.get(name) is None for name in wanted):
        return [cell]
    left_out = {one.name for one in star.args.get("except_") or ()}
    return [
        exp.alias_(exp.column(column, table=name, quoted=True), column, quoted=True)
        for name in wanted
        for column in sources[name] or ()
        if column not in left_out
    ]
