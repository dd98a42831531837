"""``sdk-whole``: the SDKs asked for the whole answer at once, no stream.

What a stream of the same message delivers has to be what this delivers. It reads a body of
``application/json``; an event stream is none, and fails.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from harness.model import Reasoning
from harness.protocols import names
from harness.protocols.openai_chat.vocabulary import REASONING
from harness.protocols.paths import get
from harness.targets.final_objects.anthropic_messages import of_message
from harness.targets.final_objects.common import Final, usage_from, word
from harness.targets.final_objects.gemini_generate import of_parts
from harness.targets.final_objects.openai_chat import of_completion
from harness.targets.final_objects.openai_responses import of_response
from harness.targets.opening import ask_whole
from harness.targets.reading import Reader, ReaderListening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from harness.model import Chunk
    from harness.targets.base import Call
    from harness.targets.clients import Clients


def _completion(found: Any) -> Final:
    """Read a completion, and the reasoning that compatible servers put beside its content.

    https://api-docs.deepseek.com/guides/reasoning_model (``message.reasoning_content``)
    """
    final = of_completion(found)
    message = get(next(iter(get(found, "choices") or ()), None), "message")
    thought = next(filter(None, (get(message, field) for field in REASONING)), None)
    if not isinstance(thought, str):
        return final
    return final._replace(content=(Reasoning(text=thought), *final.content))


def _generated(found: Any) -> Final:
    """Read the first candidate: https://ai.google.dev/api/generate-content."""
    candidate = next(iter(get(found, "candidates") or ()), None)
    return Final(
        content=of_parts(get(candidate, "content.parts") or ()),
        finish_raw=word(get(candidate, "finish_reason")),
        usage=usage_from("gemini_generate", get(found, "usage_metadata")),
        response_id=get(found, "response_id"),
        model=get(found, "model_version"),
    )


def _message(found: Any) -> Final:
    """Read a message; the input of a call is an object, and no text of it was streamed."""
    return of_message(found, {})


class WholeReader(Reader):
    """Reads the one object of an answer; a subclass names its protocol and who knows the object.

    Whatever is shown is shown at once, so there are no chunks but the last.
    """

    final_of: ClassVar[Callable[[Any], Final]]

    def __init__(self) -> None:
        self._final = Final()

    def read(self, event: Any) -> tuple[Chunk, ...]:
        """Take the object."""
        self._final = type(self).final_of(event)
        self.terminal = self._final.finish_raw is not None
        return ()

    def said(self) -> Final:
        """Return what the object says."""
        return self._final


class _Response(WholeReader):
    protocol = "openai_responses"
    final_of = of_response


class _Completion(WholeReader):
    protocol = "openai_chat"
    final_of = _completion


class _Message(WholeReader):
    protocol = "anthropic_messages"
    final_of = _message


class _Generated(WholeReader):
    protocol = "gemini_generate"
    final_of = _generated


_READERS: Mapping[str, type[WholeReader]] = {
    reader.protocol: reader for reader in (_Response, _Completion, _Message, _Generated)
}


class SdkWholeTarget:
    """The installed SDKs without streaming.

    Args:
        clients: the run's SDK clients.
    """

    name = "sdk-whole"

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> ReaderListening:
        """Return a listener for one answer."""
        return ReaderListening(partial(_asked, self._clients, call), _READERS[call.protocol]())


@asynccontextmanager
async def _asked(clients: Clients, call: Call) -> AsyncGenerator[Any, None]:
    answer = await ask_whole(clients, call)
    yield _one(answer)


async def _one(answer: Any) -> AsyncGenerator[Any, None]:
    yield answer
