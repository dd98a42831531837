"""``python -m benchmarks [overhead] [growth] [demo] [recorder] [fuzzing] [whole]``: the numbers."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from benchmarks import demo, fuzzing, growth, overhead, recorder, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.measuring import Row


async def _collect(rows: AsyncIterator[Row]) -> list[Row]:
    found = []
    async for row in rows:
        print(row, flush=True)
        found.append(row)
    return found


def main(chosen: list[str]) -> int:
    """Print the chosen measurements; return 1 if one is over its limit."""
    found: list[Row] = []
    modules = {"overhead": overhead, "growth": growth, "demo": demo, "recorder": recorder}
    for name, module in modules.items():
        if not chosen or name in chosen:
            found += asyncio.run(_collect(module.rows()))
    for name, synchronous in (("fuzzing", fuzzing), ("whole", whole)):
        if not chosen or name in chosen:
            for row in synchronous.rows():
                print(row, flush=True)
                found.append(row)
    return 0 if all(row.holds for row in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
