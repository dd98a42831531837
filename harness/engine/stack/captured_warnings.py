"""What the streaming system says to its log that a person would be woken for."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def captured_warnings() -> Iterator[list[str]]:
    """Collect what is logged as a warning or worse, in place of printing it."""
    logger, handler = logging.getLogger("harness.streaming"), _Collector(logging.WARNING)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.alarms
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


class _Collector(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.alarms: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.alarms.append(f"{record.getMessage()}" + (f": {error!r}" if error else ""))
