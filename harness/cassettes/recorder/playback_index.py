"""The recorded responses to replay, and what becomes of other requests: vcrpy's record modes.

========================  ======================  =========================
mode                      a recorded request      any other request
========================  ======================  =========================
``none``                  is replayed             is refused
``once``                  is replayed             is recorded if there is no cassette yet
``new_episodes``          is replayed             is recorded, appended to the cassette
``all``                   is recorded again       is recorded, appended to the cassette
``rewrite``               is recorded again       is recorded, replacing the cassette
========================  ======================  =========================

Rule of this file: requests are compared by method, URL and body, after scrubbing; each interaction
is replayed once, in order.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from harness.cassettes.cassette import Cassette, Request, Response

Mode: TypeAlias = Literal["none", "once", "new_episodes", "all", "rewrite"]
MODES: tuple[Mode, ...] = ("none", "once", "new_episodes", "all", "rewrite")
_REPLAYING = frozenset({"none", "once", "new_episodes"})


class PlaybackIndex:
    """The interactions of a cassette, by request.

    Args:
        mode: the record mode.
        existing: the cassette, None if there is none yet.
    """

    def __init__(self, mode: Mode, existing: Cassette | None) -> None:
        self.existing = existing
        self.records = mode != "none" and not (mode == "once" and existing is not None)
        self.keeps_existing = mode != "rewrite"
        self._remaining: dict[tuple[str, str, str], deque[Response]] = defaultdict(deque)
        if existing is not None and mode in _REPLAYING:
            for interaction in existing.interactions:
                self._remaining[_key(interaction.request)].append(interaction.response)

    @property
    def has_responses(self) -> bool:
        """Whether any response is left to replay."""
        return any(self._remaining.values())

    def next_response(self, request: Request) -> Response | None:
        """Remove and return the next response to a request, None if none is left."""
        responses = self._remaining.get(_key(request))
        return responses.popleft() if responses else None

    def refusal(self, request: Request) -> str:
        """Return why a request is refused, and how to record it."""
        similar = [key for key in self._remaining if key[:2] == (request.method, request.uri)]
        if not similar:
            reason = "no recorded request has this method and URL"
        elif _key(request) in similar:
            reason = "every recorded response to it has been replayed"
        else:
            reason = "the requests recorded for this URL have other bodies"
        return f"{request.method} {request.uri}: {reason}; record it with --mode new_episodes"


def _key(request: Request) -> tuple[str, str, str]:
    try:
        body = json.dumps(json.loads(request.body), sort_keys=True)
    except (ValueError, RecursionError):
        body = request.body.decode("latin-1")
    return request.method, request.uri, body
