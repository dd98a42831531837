"""What is known already, and whether more may be learned: vcrpy's record modes.

========================  ======================  =========================
mode                      a request that is known  any other request
========================  ======================  =========================
``none``                  is played               is refused
``once``                  is played               is recorded if there is no cassette yet
``new_episodes``          is played               is recorded, behind what is known
``all``                   is recorded again       is recorded, behind what is known
``rewrite``               is recorded again       is recorded, in place of what is known
========================  ======================  =========================

Rule of this file: requests are compared by method, address and body, as they look scrubbed; each
interaction is played once, in its order.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from harness.cassettes.cassette import Cassette, Request, Response

Mode: TypeAlias = Literal["none", "once", "new_episodes", "all", "rewrite"]
MODES: tuple[Mode, ...] = ("none", "once", "new_episodes", "all", "rewrite")
_PLAYING = frozenset({"none", "once", "new_episodes"})


class PlaybackIndex:
    """The interactions of a cassette, to be played.

    Args:
        mode: the record mode.
        known: the cassette, None where there is none yet.
    """

    def __init__(self, mode: Mode, known: Cassette | None) -> None:
        self.known = known
        self.records = mode != "none" and not (mode == "once" and known is not None)
        self.keeps = mode != "rewrite"
        self._unplayed: dict[tuple[str, str, str], deque[Response]] = defaultdict(deque)
        if known is not None and mode in _PLAYING:
            for told in known.interactions:
                self._unplayed[_key(told.request)].append(told.response)

    @property
    def plays(self) -> bool:
        """Whether anything is left to be played."""
        return any(self._unplayed.values())

    def play(self, request: Request) -> Response | None:
        """Take the next response to a request, None where none is left."""
        waiting = self._unplayed.get(_key(request))
        return waiting.popleft() if waiting else None

    def refusal(self, request: Request) -> str:
        """Say why a request is refused, and what would come nearest."""
        near = [key for key in self._unplayed if key[:2] == (request.method, request.uri)]
        if not near:
            reason = "no recorded request has this method and address"
        elif _key(request) in near:
            reason = "every recorded answer to it was played"
        else:
            reason = "those recorded for this address have other bodies"
        return f"{request.method} {request.uri}: {reason}; record it with --mode new_episodes"


def _key(request: Request) -> tuple[str, str, str]:
    try:
        body = json.dumps(json.loads(request.body), sort_keys=True)
    except (ValueError, RecursionError):
        body = request.body.decode("latin-1")
    return request.method, request.uri, body
