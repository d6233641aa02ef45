"""Live update: from sending a message to 200 watchers having heard of it."""

from __future__ import annotations

import asyncio
import statistics
import time

import httpx

from benchmarks.ground import Ground, ground

WATCHERS = 200
ROUNDS = 20


async def _watch(client: httpx.AsyncClient, ready: asyncio.Semaphore, heard: asyncio.Queue[float]) -> None:
    async with client.stream("GET", "/api/v1/live", timeout=None) as response:
        async for line in response.aiter_lines():
            if line == "event: hello":
                ready.release()
            elif line == "event: changed":
                heard.put_nowait(time.perf_counter())


async def measure(place: Ground) -> None:
    """Connect everybody, then send message after message."""
    headers = {"Authorization": f"Bearer {place.token}"}
    limits = httpx.Limits(max_connections=WATCHERS + 10)
    async with httpx.AsyncClient(base_url=place.url, headers=headers, limits=limits, timeout=60) as client:
        declared = (await client.post("/api/v1/incidents", json={"name": "Watched"})).json()["incident"]
        ready, heard = asyncio.Semaphore(0), asyncio.Queue[float]()
        watching = [asyncio.create_task(_watch(client, ready, heard)) for _ in range(WATCHERS)]
        for _ in range(WATCHERS):
            await ready.acquire()
        delays = []
        for number in range(ROUNDS):
            begun = time.perf_counter()
            await client.post(f"/api/v1/incidents/{declared}/message/post", json={"text": f"message {number}"})
            arrived = [await heard.get() for _ in range(WATCHERS)]
            delays += [(at - begun) * 1000 for at in arrived]
            await asyncio.sleep(0.05)
        for task in watching:
            task.cancel()
        delays.sort()
        print(
            f"live update to {WATCHERS} watchers: median {statistics.median(delays):.0f} ms, "
            f"p99 {delays[int(len(delays) * 0.99)]:.0f} ms (aim: median within 250 ms; watchers share this machine)"
        )


def main() -> None:
    """Run it."""
    with ground() as place:
        asyncio.run(measure(place))


if __name__ == "__main__":
    main()
