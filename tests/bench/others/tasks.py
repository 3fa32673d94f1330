# SPDX-License-Identifier: MIT
# Python's tasks, on its own loop. Run as the other drivers are: MEASURE.
import asyncio
import os
import sys
import time

FEWER, LIVE = 300000, 100000


def memory_bytes():
    keys = ("RssAnon:", "VmPTE:")
    return sum(float(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(keys))


def report(name, value, unit):
    print(f"{name} {value:.1f} {unit}", flush=True)


async def nothing():
    pass


async def yields():
    for _ in range(FEWER // 2):
        await asyncio.sleep(0)


async def measure(name):
    began = time.perf_counter()
    if name == "switch":
        other = asyncio.create_task(yields())
        await yields()
        await other
        report(name, (time.perf_counter() - began) * 1e9 / FEWER, "ns")
    elif name == "fork_await":
        for _ in range(FEWER):
            await asyncio.create_task(nothing())
        report(name, (time.perf_counter() - began) * 1e9 / FEWER, "ns")
    elif name == "message":
        queue = asyncio.Queue(1)

        async def sends():
            for i in range(FEWER):
                await queue.put(i)

        other = asyncio.create_task(sends())
        for _ in range(FEWER):
            await queue.get()
        await other
        report(name, (time.perf_counter() - began) * 1e9 / FEWER, "ns")
    elif name == "live":
        before, never = memory_bytes(), asyncio.Event()
        tasks = [asyncio.create_task(never.wait()) for _ in range(LIVE)]
        await asyncio.sleep(0)
        report("live_make", (time.perf_counter() - began) * 1e9 / LIVE, "ns")
        report("live", (memory_bytes() - before) / LIVE, "bytes")
        os._exit(0 if tasks else 1)
    elif name == "sleep":
        for part in ("sleep_cold", "sleep_warm"):
            began = time.perf_counter()
            await asyncio.gather(*[asyncio.sleep(0.001) for _ in range(LIVE)])
            report(part, (time.perf_counter() - began) * 1e3, "ms")


asyncio.run(measure(sys.argv[1]))
