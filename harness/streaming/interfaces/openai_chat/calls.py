"""Which tool call a fragment of a Chat Completions stream belongs to.

OpenAI tells calls apart by ``index`` alone and sends id and name once. Compatible servers leave the
index out, send null, use one index for several calls, repeat id and name in every fragment or send
them late; the catalogue's cases OC-027 to OC-042 are the law here.

Rules of this file: a new id *and* a name begin a new call, a new id alone does not; id and name are
set once; a name is whole once arguments follow it, and only then is it shown; a call is closed by
the provider's finish reason and by nothing else.
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
    """A call, and whether its opening chunk was handed out.

    ``said`` is the last piece of its arguments that is more than white space.
    """

    __slots__ = ("call", "said", "shown")

    def __init__(self, call: ToolCallBuilder) -> None:
        self.call = call
        self.said = ""
        self.shown = False

    @property
    def braced(self) -> bool:
        """Whether its arguments end in a brace.

        That makes them worth parsing before the provider says that they are whole.
        """
        return self.said.rstrip().endswith("}")

    def grow(self, arguments: str) -> Sequence[Chunk]:
        """Append a piece of the arguments, which is not empty."""
        if self.call.closed:
            self.call.reopen()  # a finish reason came too early (OC-020)
        if not arguments.isspace():
            self.said = arguments
        return self.call.add(arguments)


class ToolCalls:
    """The calls of one answer, as fragments build them.

    Args:
        assembly: where their slots stand.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._tracked: list[_Tracked] = []
        self._by_index: dict[int, _Tracked] = {}
        self._by_id: dict[str, _Tracked] = {}
        self._current: _Tracked | None = None  # whose fragment came last

    def go_on(self, index: Any, arguments: Any) -> Sequence[Chunk] | None:
        """Take a fragment that is nothing but more of a call that was shown; None for any other.

        Nearly every fragment is one, so this is the shortest way for it.
        """
        if type(index) is not int or type(arguments) is not str or not arguments:
            return None
        tracked = self._by_index.get(index)
        if tracked is None or not tracked.shown:
            return None
        self._current = tracked
        return tracked.grow(arguments)

    def take(
        self, index: int | None, call_id: str | None, name: str | None, arguments: str
    ) -> Sequence[Chunk]:
        """Take one fragment; return what can be shown of it.

        Args:
            index: the provider's index, None where it sent none.
            call_id: the provider's id, None where it sent none or a placeholder.
            name: the function's name or a piece of it, None as above.
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
        if name and not tracked.shown and name != call.name:  # an exact repeat adds nothing
            call.name = (call.name or "") + name
        if arguments:
            chunks += tracked.grow(arguments)
        if arguments or not (name or call.empty):
            chunks += self._show(tracked)
        return chunks

    def judge(self, finish: FinishReason) -> None:
        """Close the calls that a finish reason closes; all others stay, or become, incomplete.

        A cut answer may hold calls that were whole before the cut: those whose arguments are one
        JSON object. A call of which nothing but the name came is not among them (TR-013).
        """
        for tracked in self._tracked:
            if finish in CLOSES_CALLS or (finish in MAY_CUT_CALLS and tracked.braced):
                tracked.call.close()
            else:
                tracked.call.reopen()

    def flush(self) -> Sequence[Chunk]:
        """Show the calls that were still waiting; one without id is given one.

        A call that never got a name is not shown: nobody could run it. The content keeps it.
        """
        chunks: list[Chunk] = []
        for tracked in self._tracked:
            call = tracked.call
            if not call.id:
                call.id = self._mint(call.index)
                self._by_id[call.id] = tracked
            chunks += self._show(tracked)
        return chunks

    def _find(
        self, index: int | None, call_id: str | None, name: str | None, arguments: str
    ) -> _Tracked | None:
        """Return the call a fragment belongs to, opening it where it begins; None for nothing."""
        if index is not None:
            found = self._by_index.get(index)
        else:
            found = self._by_id.get(call_id or "", self._current)
        if found is None or _begins(found, call_id, name, arguments):
            return self._open(index) if call_id or name or arguments else None
        return found

    def _open(self, index: int | None) -> _Tracked:
        tracked = _Tracked(self._assembly.call())
        self._tracked.append(tracked)
        if index is None:
            self._by_index.setdefault(tracked.call.index, tracked)
        else:
            self._by_index[index] = tracked
        return tracked

    def _show(self, tracked: _Tracked) -> Sequence[Chunk]:
        if tracked.shown:
            return ()
        chunks = tracked.call.announce()
        tracked.shown = bool(chunks)
        return chunks

    def _mint(self, index: int) -> str:
        """Return an id for a call without one, the same in every replay (catalogue OC-033)."""
        return next(
            call_id
            for call_id in (f"call_{number}" for number in count(index))
            if call_id not in self._by_id
        )


def _begins(found: _Tracked, call_id: str | None, name: str | None, arguments: str) -> bool:
    """Whether a fragment that could go on with a call begins another one.

    With two ids, a name decides (OC-029, OC-031). Without, whatever would follow a whole object
    can only belong to another call.
    """
    call = found.call
    if not name:
        return False
    if call_id and call.id:
        return call_id != call.id
    return (
        found.braced
        and bool(arguments.strip())
        and parse_arguments(call.value().arguments_raw) is not None
    )
