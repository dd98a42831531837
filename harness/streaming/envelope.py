"""The id of one logical message: what a client needs to put the chunks of a part together.

Rule of this file: the id follows from the message and the part alone, so that every chunk of a part
has it, calls that run in parallel have each their own, and a replay has the same ones again
(defects D50, D51).
"""

from __future__ import annotations

from uuid import UUID, uuid5

# Any name space of our own will do, as long as it never changes.
_NAMESPACE = UUID("6f1d2c0e-8a55-5b7e-9c3a-2f4d7e90b1aa")


def otid(message_id: str, part: int) -> str:
    """Return the id of a part of a message; there may be any number of parts.

    Args:
        message_id: the message's own id.
        part: the part's position in the message, as ``Chunk.part`` tells it.
    """
    return str(uuid5(_NAMESPACE, f"{part}:{message_id}"))
