"""Modules with the names and the methods of letta that its target uses, for tests without it."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest


class SimpleLLMStreamAdapter:
    """Reads the client's stream and yields one message per event, with the class of the event."""

    def __init__(self, client: Any, config: Any, call_type: str) -> None:
        self.client, self.config, self.call_type = client, config, call_type
        self.content: list[Any] = []
        self.tool_calls: list[Any] = []
        self.finish_reason = "stop"
        self.usage = SimpleNamespace(prompt_tokens=1, completion_tokens=2, total_tokens=3)

    async def invoke_llm(self, *_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        stream = self.client.stream_async({}, self.config)
        with suppress(TypeError):  # Gemini's client returns a generator, the others an awaitable
            stream = await stream
        async for event in stream:
            name = type(event).__name__
            yield SimpleNamespace(message_type="assistant_message", content=name)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the modules importable for one test."""
    clients = {
        "openai_client": "OpenAIClient",
        "anthropic_client": "AnthropicClient",
        "google_ai_client": "GoogleAIClient",
    }
    modules: dict[str, dict[str, Any]] = {
        "letta": {},
        "letta.adapters": {},
        "letta.adapters.simple_llm_stream_adapter": {
            "SimpleLLMStreamAdapter": SimpleLLMStreamAdapter
        },
        "letta.schemas": {},
        "letta.schemas.llm_config": {"LLMConfig": SimpleNamespace},
        "letta.schemas.enums": {"LLMCallType": SimpleNamespace(agent_step="agent_step")},
        "letta.llm_api": {},
        **{f"letta.llm_api.{name}": {cls: type(cls, (), {})} for name, cls in clients.items()},
    }
    for name, attributes in modules.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
