"""What the harness must know of an SDK to use it for one wire language, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.model import FinishReason, Part
    from harness.sdks.call import SdkCall
    from harness.sdks.clients import SdkClients
    from harness.sdks.reader import SdkReader
    from harness.sdks.result import SdkResult

# Category (event, item, finish, usage …) -> the words of it that an SDK's types know.
Vocabulary: TypeAlias = "Mapping[str, frozenset[str]]"


class Helper(NamedTuple):
    """An SDK's own accumulator of a stream.

    Args:
        open: returns the context manager that sends the request, yields the stream and closes it.
        reader: makes a new reader of that stream.
    """

    open: Callable[[SdkClients, SdkCall], AbstractAsyncContextManager[Any]]
    reader: Callable[[], SdkReader]


@dataclass(frozen=True)
class SdkBinding:
    """One wire language as one SDK reads it.

    Args:
        protocol: the wire language, e.g. ``openai_chat``.
        distribution: the SDK's name in a package index, e.g. ``google-genai``.
        package: the top-level package that it is imported as, e.g. ``google``.
        modules: what a first request imports, which may take seconds on a busy machine.
        open_stream: sends a request and returns the asynchronous stream of typed events.
        open_stream_sync: the same with the SDK's synchronous client.
        request_answer: sends a request without streaming and returns the SDK's object.
        read_answer: returns what such an object contains.
        reader: makes a new reader of ``open_stream``: the iteration that the SDK's documents show.
        vocabulary: returns what the installed SDK's types know. It imports the SDK, which may
            take a second.
        helper: the SDK's own accumulator; None if it has none.
        finish_by_content: the finish of a stream that stopped normally and holds a part of that
            class. For protocols without a finish word for tool calls or refusals, whose documents
            look at the content; the first row that applies decides.
    """

    protocol: str
    distribution: str
    package: str
    modules: tuple[str, ...]
    open_stream: Callable[[SdkClients, SdkCall], Awaitable[Any]]
    open_stream_sync: Callable[[SdkClients, SdkCall], Any]
    request_answer: Callable[[SdkClients, SdkCall], Awaitable[Any]]
    read_answer: Callable[[Any], SdkResult]
    reader: Callable[[], SdkReader]
    vocabulary: Callable[[], Vocabulary]
    helper: Helper | None = None
    finish_by_content: tuple[tuple[type[Part], FinishReason], ...] = ()
