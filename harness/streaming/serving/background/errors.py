"""What may go wrong between a run and those who read it from Redis.

::

    HarnessError
    └── BackgroundError
        ├── RedisAwayError     no Redis is there; an InputError too, because its cure is a command
        ├── RedisFailedError   Redis went away, or refused a command
        ├── RunTakenError      somebody else wrote, or writes, a run of that id
        ├── RunUnknownError    nothing is kept of the run: it never was, or has expired
        └── WriterGoneError    the run's frames end before the run did
"""

from __future__ import annotations

from harness.errors import HarnessError, InputError


class BackgroundError(HarnessError):
    """Base of this room's errors."""


class RedisAwayError(BackgroundError, InputError):
    """No Redis is there; says how to start one, and how to name another."""


class RedisFailedError(BackgroundError):
    """Redis went away, or refused a command."""


class RunTakenError(BackgroundError):
    """A run of that id is kept already.

    Args:
        run_id: the run.
    """

    def __init__(self, run_id: str):
        super().__init__(
            f"the frames of a run {run_id!r} are kept already; give each run its own id"
        )


class RunUnknownError(BackgroundError):
    """Nothing is kept of a run.

    Args:
        run_id: the run.
    """

    def __init__(self, run_id: str):
        super().__init__(f"nothing is kept of a run {run_id!r}; it never was, or has expired")


class WriterGoneError(BackgroundError):
    """The frames of a run end before the run did.

    Args:
        run_id: the run.
        why: what is known of it.
    """

    def __init__(self, run_id: str, why: str):
        super().__init__(f"the frames of run {run_id!r} end before the run did: {why}")
