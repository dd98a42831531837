"""Changes to a stream: preserving ones must not change the outcome, corrupting ones must show.

A scenario names the ``MUTATIONS`` in ``holds_under``; a campaign applies those of ``PRESERVING``
and ``CORRUPTING``, with choices read from a byte source.
"""

from harness.generation.mutations.preserving import MUTATIONS

__all__ = ["MUTATIONS"]
