# SPDX-License-Identifier: MIT
# Python's tasks, on its own loop. Run as the other drivers are: MEASURE.
import asyncio
import os
import sys
import time

FEWER, LIVE = 300000, 100000


def kept_bytes(*keys):
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
        keys = {"live": ("RssAnon:", "RssShmem:"), "live_tables": ("VmPTE:",)}
        before, never = {k: kept_bytes(*v) for k, v in keys.items()}, asyncio.Event()
        tasks = [asyncio.create_task(never.wait()) for _ in range(LIVE)]
        await asyncio.sleep(0)
        report("live_make", (time.perf_counter() - began) * 1e9 / LIVE, "ns")
        for k, v in keys.items():
            report(k, (kept_bytes(*v) - before[k]) / LIVE, "bytes")
        os._exit(0 if tasks else 1)
    elif name == "sleep":
        for part in ("sleep_cold", "sleep_warm"):
            began = time.perf_counter()
            await asyncio.gather(*[asyncio.sleep(0.001) for _ in range(LIVE)])
            report(part, (time.perf_counter() - began) * 1e3, "ms")
    elif name == "timers":
        cpu = time.process_time()
        await asyncio.gather(*[asyncio.sleep((1 + i * 7919 % 1000) / 1000) for i in range(LIVE)])
        report(name, (time.process_time() - cpu) * 1e9 / LIVE, "ns")


asyncio.run(measure(sys.argv[1]))
