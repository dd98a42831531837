"""How much a test fuzzes: the profile of Hypothesis that is active.

``ci`` is Hypothesis' own: always the same examples. ``nightly`` is ours: many, each time others.
"""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis.errors import InvalidArgument

NIGHTLY = 3000  # examples of one law on one protocol


def register() -> None:
    """Make ``nightly`` known, unless there is a profile of that name."""
    try:
        settings.get_profile("nightly")
    except InvalidArgument:
        settings.register_profile("nightly", max_examples=NIGHTLY, deadline=None)


def examples() -> int:
    """Return how many examples the active profile asks for."""
    return settings().max_examples


def seed() -> int:
    """Return what decides the examples: always the same under a profile that derandomizes."""
    return 0 if settings().derandomize else random.randrange(10**6)  # noqa: S311 - no secret
