"""Apache Spark as an engine, for estates: the same library, carried over, on Parquet in a shared folder or S3.

Rules:
1. Everything the driver writes (warehouse, temporary files, tables it makes) lies in the engine's own folder or in
   the shared place it is given; nothing in the working folder.
2. The driver listens on loopback when the master is local, and shows no web page of its own.
3. The session's time zone is UTC, and ANSI mode is on: an overflow or a cast that fails is an error, never a null.

Not handled here: rights to the cluster and to S3, which are the cluster's configuration (``options``).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from holdfast.engines.carrying import carry, carry_table, cast
from holdfast.engines.duck import arrow_table
from holdfast.engines.shapes import Shapes, identifier
from holdfast.investigation.activity import ACTIVITY, Column
from holdfast.kernel.errors import UnavailableError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

JAVA = 17
"""The oldest Java that Spark 4 starts on."""
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.parquet.compression.codec": "zstd",
    }
)
_PATIENCE = 10
"""Seconds that Java gets to end by itself."""
_LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_LOGGING = """rootLogger.level = error
rootLogger.appenderRef.err.ref = err
appender.err.type = Console
appender.err.name = err
appender.err.target = SYSTEM_ERR
appender.err.layout.type = PatternLayout
appender.err.layout.pattern = %d %p %c: %m%n%ex
"""


class SparkEngine:
    """One investigation's tables in a Spark session."""

    name = "spark"

    def __init__(
        self, folder: Path, *, master: str = "local[2]", place: str | None = None, options: Mapping[str, str] = OPTIONS
    ) -> None:
        """Start a session, or use the one of this process.

        Args:
            folder: the driver's own folder: warehouse, log and temporary files.
            master: ``local[N]``, ``spark://…``, ``k8s://…`` or ``yarn``.
            place: where tables go that every executor must reach: a shared folder or an ``s3a://`` address; the
                driver's folder when left out, which is right for a local master only.
            options: Spark's configuration over the defaults.

        Raises:
            UnavailableError: pyspark or a Java from 17 on is missing, or the session does not start.
        """
        self._own = own = folder / "spark"
        (own / "given").mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shared = place is not None
        self._place = place.rstrip("/") if place is not None else f"{own}/tables"
        self._session = start(own, master, options)
        self._shapes = Shapes()
        self._made = 0

    def activity(self, parts: Sequence[Path]) -> None:
        """Make the table ``activity`` from Parquet files, copied first where executors would not reach them."""
        if not parts:
            self.define("activity", ACTIVITY, [])
            return
        self._shapes.define("activity", ACTIVITY)
        where = [self._copied(part) for part in parts] if self._shared else [f"file://{part}" for part in parts]
        read = self._session.read.schema(_schema(ACTIVITY)).parquet(*where)
        read.createOrReplaceTempView("activity")

    def define(self, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Make a small table from rows, as a file: rows handed over in Python would need a Python on every executor."""
        identifier(name)
        self._shapes.define(name, columns)
        self._made += 1
        part = self._own / "given" / f"{self._made:03}_{name}.parquet"
        pq.write_table(arrow_table(columns, rows), part, compression="zstd")
        where = self._copied(part) if self._shared else f"file://{part}"
        self._session.read.schema(_schema(columns)).parquet(where).createOrReplaceTempView(name)

    def materialise(self, name: str, sql: str) -> None:
        """Make a table from a query: Parquet in the shared place."""
        carried = carry_table(sql, "spark", self._shapes.derive(name, sql), self._shapes.names())
        self._made += 1
        where = f"{self._place}/{self._made:03}_{name}"
        self._session.sql(carried).write.mode("overwrite").parquet(where)
        self._session.read.schema(_schema(self._shapes.columns(name))).parquet(where).createOrReplaceTempView(name)

    def rows(self, sql: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of a query."""
        names = [column.name for column in self._shapes.describe(sql)]
        found: DataFrame = self._session.sql(carry(sql, "spark", self._shapes.names()))
        if limit is not None:
            found = found.limit(limit)
        return [dict(zip(names, row, strict=True)) for row in found.collect()]

    def close(self) -> None:
        """End the session; the folder is its giver's to remove."""
        end(self._session)
        self._shapes.close()

    def _copied(self, part: Path) -> str:
        """Put a part where every executor reaches it, through Spark's own file systems."""
        jvm: Any = self._session.sparkContext._jvm  # noqa: SLF001 - the only way to Hadoop's file systems from Python
        path = jvm.org.apache.hadoop.fs.Path
        target = path(f"{self._place}/activity/{part.name}")
        settings = self._session.sparkContext._jsc.hadoopConfiguration()  # noqa: SLF001 - likewise
        target.getFileSystem(settings).copyFromLocalFile(False, True, path(f"file://{part}"), target)  # noqa: FBT003 - keep ours, write over theirs
        return str(target)


def _schema(columns: Sequence[Column]) -> str:
    return ", ".join(f"`{column.name}` {cast(column.type, 'spark')}" for column in columns)


def start(own: Path, master: str, options: Mapping[str, str] = OPTIONS) -> SparkSession:
    """Start a session, or use the one of this process.

    Args:
        own: the driver's own folder: warehouse, log and temporary files.
        master: ``local[N]``, ``spark://…``, ``k8s://…`` or ``yarn``.
        options: Spark's configuration over the defaults.

    Raises:
        UnavailableError: pyspark or a Java from 17 on is missing, or the session does not start.
    """
    need()
    (own / "tmp").mkdir(mode=0o700, parents=True, exist_ok=True)
    return _session(own, master, options)


def end(session: SparkSession) -> None:
    """End a session and the Java process it ran in.

    pyspark keeps that process for the next session, which would then write where the first was told to.
    """
    from pyspark import SparkContext  # noqa: PLC0415 - optional: the product starts without it

    session.stop()
    gateway: Any = SparkContext._gateway  # noqa: SLF001 - there is no public way to end it
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 - likewise
    if gateway is None:
        return
    gateway.shutdown()
    java: subprocess.Popen[bytes] | None = gateway.proc
    if java is not None and java.stdin is not None:
        java.stdin.close()  # it ends when this does
        try:
            java.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            java.kill()
            java.wait()


def need() -> None:
    """Refuse where Spark cannot be started, before anything is.

    Raises:
        UnavailableError: pyspark or a Java from 17 on is missing.
    """
    try:
        import pyspark  # noqa: F401, PLC0415 - optional: the product starts without it
    except ImportError as error:
        raise _missing(f"The package pyspark cannot be loaded ({error}).", "pip install 'holdfast[spark]'") from None
    _need_java()


def _session(own: Path, master: str, options: Mapping[str, str]) -> SparkSession:
    try:
        from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - optional: the product starts without it
        from pyspark.errors import PySparkException  # noqa: PLC0415 - likewise
        from pyspark.java_gateway import launch_gateway  # noqa: PLC0415 - likewise
        from pyspark.sql import SparkSession as Session  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise _missing(f"The package pyspark cannot be loaded ({error}).", "pip install 'holdfast[spark]'") from None
    scratch, logging_file = own / "tmp", own / "log4j2.properties"
    logging_file.write_text(_LOGGING, encoding="utf-8")
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # it prints every error with its stack
    given = {
        **OPTIONS,
        **(_LOCAL if master.startswith("local") else {}),
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": f"{own}/warehouse",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging_file} -Djava.io.tmpdir={scratch}",
        **options,
    }
    configuration = SparkConf().setMaster(master).setAppName("holdfast").setAll(list(given.items()))
    try:
        if SparkContext._active_spark_context is None:  # noqa: SLF001 - there is no public way to ask without making one
            with (own / "driver.log").open("ab") as log:
                launch: Any = launch_gateway  # it has no types
                gateway = launch(configuration, {"stderr": log})
            SparkContext(conf=configuration, gateway=gateway)
        return Session.builder.config(conf=configuration).getOrCreate()
    except (PySparkException, OSError) as error:
        raise _missing(f"The session does not start ({str(error)[:200]}).", f"read {own}/driver.log") from None


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    said = ""
    if java is not None:
        with contextlib.suppress(OSError):
            asked = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - the Java that Spark will start
            said = asked.stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < JAVA:
        what = f"Java {found[1]} is too old." if found else "No Java is found."
        raise _missing(what, f"apt-get install openjdk-{JAVA}-jre-headless, or set JAVA_HOME")


def _missing(why: str, install: str) -> UnavailableError:
    return UnavailableError(
        "engine-not-installed",
        "Spark cannot be used here.",
        why=why,
        next_step=f"Try: {install}; or leave out --engine (--spark) for the embedded one.",
    )
