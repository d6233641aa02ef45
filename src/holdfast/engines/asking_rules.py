"""Which SQL of a person is run: decided on the tree that DuckDB's own parser makes of it.

Rules:
1. One statement, and a SELECT (``json_serialize_sql`` reads no other).
2. Tables are those of the investigation, by plain name, and the query's own common tables under plain names: a
   file's name is no table.
3. Table functions are ``range``, ``generate_series``, ``unnest``, ``json_each`` and ``json_tree``.
4. Functions are DuckDB's own that depend on their arguments only: none that reads settings, variables or the
   environment, none with effects, none that runs SQL given as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})
_DENIED = re.compile(
    r"get_?env|getvariable|current_.*|.*setting.*|.*secret.*|.*search_path.*|.*privilege.*|json_(de)?serialize.*"
    r"|json_execute.*|pg_.*|txid_.*|.*_log|.*_query.*|query|session_user|user|version|sleep.*|error|stats|vector_type"
    r"|.*parquet.*|duckdb_.*|pragma_.*|read_.*|write_.*|.*file.*|.*glob|.*http.*|load.*|install.*|col_description"
    r"|obj_description|shobj_description|inet_.*|set_.*|nextval|currval|setval|setseed|random|uuid.*|gen_random.*"
)
_TIMES = frozenset({"current_date", "current_timestamp", "current_time", "current_localtime", "current_localtimestamp"})
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class RefusedError(Exception):
    """The SQL is not run; the message says why, in a sentence."""


def check(base: duckdb.DuckDBPyConnection, sql: str, tables: frozenset[str]) -> None:
    """Refuse what may not run.

    Raises:
        RefusedError: a rule forbids it.
        duckdb.Error: it cannot be read at all.
    """
    statements = base.extract_statements(sql)
    if len(statements) != 1:
        raise RefusedError("It is not exactly one statement.")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise RefusedError("It is not a SELECT: here nothing is changed, loaded, attached or written.")
    [(told,)] = base.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    tree = json.loads(told)
    if tree.get("error"):
        raise RefusedError("It is not a SELECT: here nothing is changed, loaded, attached or written.")
    nodes = list(_nodes(tree))
    own = frozenset(name for node in nodes for name in _common(node))
    functions = _functions(base)
    for node in nodes:
        _kind(node)
        _table(node, tables | own)
        _function(node, functions)


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    waiting: list[object] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _common(node: dict[str, Any]) -> Iterator[str]:
    found = node.get("cte_map")
    names = [entry["key"] for entry in found["map"]] if isinstance(found, dict) else []
    if isinstance(node.get("ctename"), str):
        names.append(node["ctename"])
    if node.get("type") == "RECURSIVE_CTE_NODE" and isinstance(node.get("cte_name"), str):
        names.append(node["cte_name"])
    for name in names:
        if name and not _NAME.fullmatch(name):
            raise RefusedError(f"{name[:40]!r} is no name for a common table: letters, digits and underscores are.")
        yield name.lower()


def _kind(node: dict[str, Any]) -> None:
    """A change may hide in a common table: ``WITH x AS (DELETE … RETURNING *)``."""
    kind = str(node.get("type") or "")
    if kind.endswith("_NODE") and kind not in _NODES:
        raise RefusedError("It is not a SELECT: here nothing is changed, loaded, attached or written.")


def _table(node: dict[str, Any], known: frozenset[str]) -> None:
    if node.get("type") not in ("BASE_TABLE", "SHOW_REF"):
        return
    name = str(node.get("table_name") or "")
    if node["type"] == "SHOW_REF" and not name and node.get("query"):
        return  # DESCRIBE of a query, which is looked at by itself
    elsewhere = [one for one in (node.get("catalog_name"), node.get("schema_name")) if one and one != "main"]
    if elsewhere or name.lower() not in known:
        shown = ".".join([*map(str, elsewhere), name])[:60]
        raise RefusedError(f"There is no table {shown!r}: files, system tables and other databases cannot be read.")


def _function(node: dict[str, Any], known: frozenset[str]) -> None:
    if node.get("type") == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise RefusedError(f"{name}() is not among the table functions here: {', '.join(sorted(TABLE_FUNCTIONS))}.")
        return
    name = str(node.get("function_name") or "").lower()
    if not name or name in TABLE_FUNCTIONS:
        return
    if node.get("schema") not in (None, "", "main") or node.get("catalog") not in (None, "", "system"):
        raise RefusedError(f"{name}() is asked for in another schema.")
    if name not in known:
        raise RefusedError(f"{name}() is not among the functions here.")


def _functions(base: duckdb.DuckDBPyConnection) -> frozenset[str]:
    found = base.execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() "
        "WHERE function_type IN ('scalar', 'aggregate', 'macro') AND internal "
        "GROUP BY lower(function_name) HAVING NOT bool_or(coalesce(has_side_effects, false))"
    ).fetchall()
    names = {name for (name,) in found}
    return frozenset(name for name in names if not _DENIED.fullmatch(name)) | _TIMES
