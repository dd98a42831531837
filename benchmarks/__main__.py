"""``python -m benchmarks [overhead] [growth] [demo] [recorder] [fuzzing] [scenarios]``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from benchmarks import demo, fuzzing, growth, overhead, recorder, scenarios

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.measuring import Row

_ASYNCHRONOUS = {"overhead": overhead, "growth": growth, "demo": demo, "recorder": recorder}
_SYNCHRONOUS = {"fuzzing": fuzzing, "scenarios": scenarios}


def main(selected: list[str]) -> int:
    """Print the rows of the selected benchmarks, or of all; return 1 if one exceeds its limit."""
    rows: list[Row] = []
    for name, module in _ASYNCHRONOUS.items():
        if not selected or name in selected:
            rows += asyncio.run(_printed(module.rows()))
    for name, module in _SYNCHRONOUS.items():
        if not selected or name in selected:
            for row in module.rows():
                print(row, flush=True)
                rows.append(row)
    return 0 if all(row.holds for row in rows) else 1


async def _printed(rows: AsyncIterator[Row]) -> list[Row]:
    printed = []
    async for row in rows:
        print(row, flush=True)
        printed.append(row)
    return printed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
