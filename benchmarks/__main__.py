"""``make bench``: every benchmark, one after another."""

from __future__ import annotations

from benchmarks import (
    bench_api,
    bench_evidence,
    bench_exposure,
    bench_exposure_rules,
    bench_ingest,
    bench_live,
    investigation_queries,
)

for _bench in (
    bench_api,
    bench_live,
    bench_evidence,
    bench_ingest,
    investigation_queries,
    bench_exposure,
    bench_exposure_rules,
):
    print(f"\n{_bench.__doc__.splitlines()[0]}")
    _bench.main()
