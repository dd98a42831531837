"""``sdk-helper``: the SDKs' own accumulators, and the object each hands over at the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.protocols import names
from harness.targets.helpers import (
    anthropic_messages,
    gemini_generate,
    openai_chat,
    openai_responses,
)
from harness.targets.reading import ReaderListening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from harness.targets.base import Call
    from harness.targets.clients import Clients
    from harness.targets.reading import Reader

    Opener = Callable[[Clients, Call], AbstractAsyncContextManager[Any]]

_HELPERS: Mapping[str, tuple[Opener, type[Reader]]] = {
    "openai_responses": (openai_responses.opened, openai_responses.ResponsesHelperReader),
    "openai_chat": (openai_chat.opened, openai_chat.ChatHelperReader),
    "anthropic_messages": (anthropic_messages.opened, anthropic_messages.MessagesHelperReader),
    "gemini_generate": (gemini_generate.opened, gemini_generate.GeminiHelperReader),
}


class SdkHelperTarget:
    """The accumulators of the installed SDKs.

    Args:
        clients: the run's SDK clients.
    """

    name = "sdk-helper"

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.protocols = names()

    def listen(self, call: Call) -> ReaderListening:
        """Return a listener for one stream."""
        opened, reader = _HELPERS[call.protocol]
        return ReaderListening(partial(opened, self._clients, call), reader())
