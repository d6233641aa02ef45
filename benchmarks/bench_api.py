"""Creating, appending, listing over HTTP: server CPU milliseconds a request, beside the measured peers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import httpx

from benchmarks.ground import Ground, ground

PEERS = {
    "create": {"FIR": 19.0, "DFIR-IRIS": 49.5, "Dispatch": 413.0},
    "append": {"FIR": 14.0, "DFIR-IRIS": 34.0, "Dispatch": 137.0},
    "list page": {"DFIR-IRIS": 56.5, "Dispatch": 128.0, "FIR": 222.0},
}
"""Application CPU ms a request, measured on a machine of this size (2 cores), mid of the range."""


def measured(place: Ground, name: str, count: int, act: Callable[[], httpx.Response]) -> float:
    """CPU ms a request, after ten requests to warm up."""
    for _ in range(10):
        act().raise_for_status()
    walls = []
    before = place.cpu_s()
    for _ in range(count):
        begun = time.perf_counter()
        act().raise_for_status()
        walls.append((time.perf_counter() - begun) * 1000)
    cpu = (place.cpu_s() - before) * 1000 / count
    walls.sort()
    peers = PEERS.get(name.split(" (", maxsplit=1)[0], {})
    ratios = ", ".join(f"{peer} {their / cpu:.0f}x" for peer, their in peers.items())
    p99 = walls[int(len(walls) * 0.99) - 1]
    print(f"{name:34} {cpu:6.2f} CPU ms   p50 {statistics.median(walls):6.2f} ms   p99 {p99:6.2f} ms   {ratios}")
    return cpu


def main(stored: int = 10_000) -> None:
    """Measure on a record that already holds ``stored`` incidents."""
    with ground(stored) as place, place.client() as client:
        print(f"start to first answer {place.started_s:.2f} s, memory {place.memory_mb():.0f} MB, {stored} stored")
        declared = client.post("/api/v1/incidents", json={"name": "A production secret leaked"}).json()["incident"]
        measured(
            place, "create", 400, lambda: client.post("/api/v1/incidents", json={"name": "A production secret leaked"})
        )
        measured(
            place,
            "create (with play)",
            300,
            lambda: client.post("/api/v1/incidents", json={"name": "A key leaked", "play": "leaked-secret"}),
        )
        post = f"/api/v1/incidents/{declared}/message/post"
        measured(place, "append (message)", 400, lambda: client.post(post, json={"text": "looking at the trail now"}))
        measured(place, "list page (API, 50)", 200, lambda: client.get("/api/v1/incidents"))
        session = httpx.Client(base_url=place.url, headers=dict(client.headers), timeout=60)
        measured(place, "list page (HTML, 50)", 200, lambda: session.get("/incidents"))
        measured(place, "read command post (API)", 200, lambda: client.get(f"/api/v1/incidents/{declared}/post"))
        print(f"memory after {place.memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
