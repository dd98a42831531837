"""Who shares the work of a command: options that commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli import numbers

if TYPE_CHECKING:
    import argparse


def crew(command: argparse.ArgumentParser) -> None:
    """Add the options for processes of this machine and for a cluster."""
    command.add_argument(
        "--workers",
        type=numbers.count,
        default=1,
        metavar="N",
        help="processes to share it (default: 1)",
    )
    command.add_argument(
        "--cluster", metavar="URL", help="a dask scheduler whose workers share it: tcp://HOST:PORT"
    )
