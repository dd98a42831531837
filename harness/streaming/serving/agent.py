"""What the service asks of an agent loop: the product's own, one asynchronous generator a run.

The loop hands on every chunk of every step as ``AgentChunk`` and then yields one stop reason, which
is the last thing it is asked for: what has to be done before the run counts as ended is done before
it. It raises what went wrong; ``LLMError`` is the model's fault, all else our own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harness.streaming.serving.runs.statuses import StopReason

if TYPE_CHECKING:
    from harness.model import Chunk, Outcome
    from harness.streaming.cancellation import CancelSignal
    from harness.streaming.serving.runs.store import Run


class AgentChunk(NamedTuple):
    """A chunk as the adapter yielded it, and where it belongs.

    Chunks that are no piece of a message are welcome: the service reads usage and finish reason
    from them.
    """

    chunk: Chunk
    message_id: str
    step_id: str


@dataclass(frozen=True)
class AgentRequest:
    """What a loop is to do.

    Args:
        run: the run, None where runs are not tracked.
        cancel: fired when the run is cancelled. The service ends the loop by itself, wherever it
            waits; the signal is there for what the loop starts in threads and tasks of its own.
        account: step id, outcome -> nothing; what came of a step, told when it is over. A step that
            was left has no chunk any more to say so in (catalogue CA-021). ``steps.taken`` does it.
    """

    run: Run | None
    cancel: CancelSignal
    account: Callable[[str, Outcome], None]


Agent: TypeAlias = Callable[[AgentRequest], AsyncGenerator[AgentChunk | StopReason, None]]
