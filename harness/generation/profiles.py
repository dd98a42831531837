"""How many examples a test draws, and from which seed: the active profile of Hypothesis decides.

``ci`` is Hypothesis' own profile and always draws the same examples. ``nightly`` is registered
here; it draws many, and different ones each time.
"""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis.errors import InvalidArgument

NIGHTLY = 3000  # examples of one property on one protocol


def register() -> None:
    """Register the profile ``nightly``, unless there is one of that name."""
    try:
        settings.get_profile("nightly")
    except InvalidArgument:
        settings.register_profile("nightly", max_examples=NIGHTLY, deadline=None)


def examples() -> int:
    """Return how many examples the active profile asks for."""
    return settings().max_examples


def seed() -> int:
    """Return a random seed, or 0 if the active profile derandomizes."""
    return 0 if settings().derandomize else random.randrange(10**6)  # noqa: S311 - not a secret
