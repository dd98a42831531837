"""Errors of storing runs in Redis and reading them there.

::

    HarnessError
    └── BackgroundError
        ├── RedisUnavailableError  Redis cannot be reached; also an InputError: a command cures it
        ├── RedisFailedError       Redis failed while in use, or refused a command
        ├── RunTakenError          a run with that id is stored already
        ├── RunUnknownError        no events are stored: the run does not exist, or has expired
        └── WriterGoneError        the stored frames end before the run did
"""

from __future__ import annotations

from harness.errors import HarnessError, InputError


class BackgroundError(HarnessError):
    """Base of the errors of this package."""


class RedisUnavailableError(BackgroundError, InputError):
    """Redis cannot be reached; the message says how to start one and how to name another."""


class RedisFailedError(BackgroundError):
    """The connection to Redis failed while in use, or Redis refused a command."""


class RunTakenError(BackgroundError):
    """A run with that id is stored already.

    Args:
        run_id: the run.
    """

    def __init__(self, run_id: str):
        super().__init__(f"a run {run_id!r} is stored already; give each run its own id")


class RunUnknownError(BackgroundError):
    """Nothing is stored of a run.

    Args:
        run_id: the run.
    """

    def __init__(self, run_id: str):
        super().__init__(
            f"no events are stored for run {run_id!r}: it does not exist, or has expired"
        )


class WriterGoneError(BackgroundError):
    """The stored frames of a run end before the run did.

    Args:
        run_id: the run.
        why: the reason, as far as it is known.
    """

    def __init__(self, run_id: str, why: str):
        super().__init__(f"the stored frames of run {run_id!r} end before the run did: {why}")
