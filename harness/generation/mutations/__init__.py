"""Changes to streams: lawful ones, that must not matter, and unlawful ones, that must show.

``scripts`` holds those a scenario may name in ``holds_under``; ``lawful`` and ``unlawful`` those of
a campaign, each decided by a tape.
"""

from harness.generation.mutations.scripts import MUTATIONS

__all__ = ["MUTATIONS"]
