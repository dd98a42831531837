"""Which tool call a fragment of a Chat Completions stream belongs to.

OpenAI distinguishes calls by ``index`` alone and sends id and name once. Compatible servers omit
the index, send null, use one index for several calls, repeat id and name in every fragment or send
them late (catalogue OC-027 to OC-042).

Rules of this file: a new id *and* a name begin a new call, a new id alone does not; id and name are
set once; a name is complete once arguments follow it, and only then is the call announced; a call
is closed by the provider's finish reason and by nothing else.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from harness.protocols.openai_chat.vocabulary import CLOSES_CALLS, MAY_CUT_CALLS
from harness.streaming.content import parse_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model import Chunk, FinishReason
    from harness.streaming.content import Assembly, ToolCallBuilder


class _Tracked:
    """A call, and whether its opening chunk was emitted.

    ``last_piece`` is the last piece of its arguments that is not white space.
    """

    __slots__ = ("announced", "call", "last_piece")

    def __init__(self, call: ToolCallBuilder) -> None:
        self.call = call
        self.last_piece = ""
        self.announced = False

    @property
    def braced(self) -> bool:
        """Whether its arguments end in a brace, so they may be complete already."""
        return self.last_piece.rstrip().endswith("}")

    def append(self, arguments: str) -> Sequence[Chunk]:
        """Append a non-empty piece of the arguments."""
        if self.call.closed:
            self.call.reopen()  # a finish reason came too early (OC-020)
        if not arguments.isspace():
            self.last_piece = arguments
        return self.call.add(arguments)


class ToolCalls:
    """The calls of one answer, built from fragments.

    Args:
        assembly: the content they are added to.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._tracked: list[_Tracked] = []
        self._by_index: dict[int, _Tracked] = {}
        self._by_id: dict[str, _Tracked] = {}
        self._current: _Tracked | None = None  # the call of the last fragment

    def extend(self, index: Any, arguments: Any) -> Sequence[Chunk] | None:
        """Take a fragment with only more arguments of an announced call; None for any other.

        Nearly all fragments are of this kind, so this is the fast path.
        """
        if type(index) is not int or type(arguments) is not str or not arguments:
            return None
        tracked = self._by_index.get(index)
        if tracked is None or not tracked.announced:
            return None
        self._current = tracked
        return tracked.append(arguments)

    def take(
        self, index: int | None, call_id: str | None, name: str | None, arguments: str
    ) -> Sequence[Chunk]:
        """Take one fragment; return its chunks.

        Args:
            index: the provider's index, or None.
            call_id: the provider's id; None where it sent none or a placeholder.
            name: the function's name or a piece of it; None likewise.
            arguments: a piece of the arguments, perhaps empty.
        """
        tracked = self._find(index, call_id, name, arguments)
        if tracked is None:
            return ()
        self._current, call = tracked, tracked.call
        chunks: list[Chunk] = []
        if call_id and not call.id:
            call.id = call_id
            self._by_id.setdefault(call_id, tracked)
        if name and not tracked.announced and name != call.name:  # an exact repeat adds nothing
            call.name = (call.name or "") + name
        if arguments:
            chunks += tracked.append(arguments)
        if arguments or not (name or call.empty):
            chunks += self._announce(tracked)
        return chunks

    def apply_finish(self, finish: FinishReason) -> None:
        """Close the calls that a finish reason closes; all others are, or become, incomplete.

        A cut answer may hold calls that were complete before the cut: those whose arguments are one
        JSON object. A call with a name and no arguments is not among them (TR-013).
        """
        for tracked in self._tracked:
            if finish in CLOSES_CALLS or (finish in MAY_CUT_CALLS and tracked.braced):
                tracked.call.close()
            else:
                tracked.call.reopen()

    def flush(self) -> Sequence[Chunk]:
        """Announce the calls that were still waiting; one without an id gets one.

        A call that never got a name is not announced, as it cannot be run; the content keeps it.
        """
        chunks: list[Chunk] = []
        for tracked in self._tracked:
            call = tracked.call
            if not call.id:
                call.id = self._new_id(call.index)
                self._by_id[call.id] = tracked
            chunks += self._announce(tracked)
        return chunks

    def _find(
        self, index: int | None, call_id: str | None, name: str | None, arguments: str
    ) -> _Tracked | None:
        """Return the call of a fragment, opened where it begins; None for an empty fragment."""
        if index is not None:
            known = self._by_index.get(index)
        else:
            known = self._by_id.get(call_id or "", self._current)
        if known is None or _begins(known, call_id, name, arguments):
            return self._open(index) if call_id or name or arguments else None
        return known

    def _open(self, index: int | None) -> _Tracked:
        tracked = _Tracked(self._assembly.open_call())
        self._tracked.append(tracked)
        if index is None:
            self._by_index.setdefault(tracked.call.index, tracked)
        else:
            self._by_index[index] = tracked
        return tracked

    def _announce(self, tracked: _Tracked) -> Sequence[Chunk]:
        if tracked.announced:
            return ()
        chunks = tracked.call.announce()
        tracked.announced = bool(chunks)
        return chunks

    def _new_id(self, index: int) -> str:
        """Return an id for a call without one, the same in every replay (catalogue OC-033)."""
        return next(
            call_id
            for call_id in (f"call_{number}" for number in count(index))
            if call_id not in self._by_id
        )


def _begins(known: _Tracked, call_id: str | None, name: str | None, arguments: str) -> bool:
    """Whether a fragment that could extend a call begins another one.

    It needs a name, and where both have an id, another id (OC-029, OC-031). Without ids, a fragment
    that would follow a complete JSON object can only belong to another call.
    """
    call = known.call
    if not name:
        return False
    if call_id and call.id:
        return call_id != call.id
    return (
        known.braced
        and bool(arguments.strip())
        and parse_arguments(call.value().arguments_raw) is not None
    )
