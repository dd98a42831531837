"""The vocabulary of OpenAI's Chat Completions stream; each word is in one table.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events

Words that only compatible servers send are in tables of their own, with their source, so that it
stays visible what OpenAI itself documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import FinishReason

DONE = "[DONE]"

# finish_reason of a choice, in the page named above
OPENAI_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
}

# What compatible servers send instead. A word that is in neither table means `unknown`; an empty
# one is their way to write null (catalogue OC-015).
VENDOR_FINISH: Mapping[str, FinishReason] = {
    "eos": "stop",  # Together: https://docs.together.ai/reference/chat-completions-1
    # Text Generation Inference: https://huggingface.github.io/text-generation-inference/
    "eos_token": "stop",
    "stop_sequence": "stop",
    "model_length": "length",  # Mistral: https://docs.mistral.ai/api/#tag/chat
    "model_context_window_exceeded": "length",  # Z.ai, as the next two
    "sensitive": "content_filter",  # https://docs.z.ai/api-reference/llm/chat-completion
    "network_error": "error",
    "guardrail_intervened": "content_filter",  # Bedrock's guardrails behind LiteLLM (OC-023)
    # https://api-docs.deepseek.com/api/create-chat-completion
    "insufficient_system_resource": "error",
    "error": "error",  # OpenRouter: https://openrouter.ai/docs/api/reference/streaming; Mistral
    # vLLM, FinishReason: https://github.com/vllm-project/vllm/blob/main/vllm/v1/engine/__init__.py
    "abort": "cancelled",
}

FINISH: Mapping[str, FinishReason] = {**OPENAI_FINISH, **VENDOR_FINISH}

# Of two reasons the one with more weight counts (catalogue OC-020): a plain stop means least, and a
# reason that is not named here means that something was cut off.
FINISH_WEIGHT: Mapping[FinishReason, int] = {"stop": 0, "tool_calls": 1}
CUT = 2

# Finish reasons after which every call is complete; after those of the next group, only a call
# whose arguments are one JSON object; after any other, none.
CLOSES_CALLS: frozenset[FinishReason] = frozenset({"stop", "tool_calls"})
MAY_CUT_CALLS: frozenset[FinishReason] = frozenset({"length", "content_filter", "unknown"})

# Our usage field -> the path of the provider's; its prompt_tokens include what was cached.
# https://developers.openai.com/api/docs/guides/prompt-caching
USAGE: Mapping[str, str] = {
    "input": "prompt_tokens",
    "cached": "prompt_tokens_details.cached_tokens",
    "cache_write": "prompt_tokens_details.cache_write_tokens",
    "output": "completion_tokens",
    "reasoning": "completion_tokens_details.reasoning_tokens",
    "total": "total_tokens",
}

# Where else a count may be if it is not there.
VENDOR_USAGE: Mapping[str, str] = {
    "cached": "prompt_cache_hit_tokens",  # https://api-docs.deepseek.com/guides/kv_cache
    "reasoning": "reasoning_tokens",  # GitHub Copilot, as recorded
}

# Fields of a delta that carry the model's reasoning; the first one that is not empty counts:
# reasoning_content https://api-docs.deepseek.com/guides/reasoning_model (also vLLM, Z.ai, xAI),
# reasoning https://openrouter.ai/docs/use-cases/reasoning-tokens (also Groq, gpt-oss servers).
REASONING = ("reasoning_content", "reasoning")

# The same reasoning as typed items, with signatures and encrypted data that the next request has
# to repeat: https://openrouter.ai/docs/use-cases/reasoning-tokens
REASONING_DETAILS = "reasoning_details"

# Fields of compatible servers' deltas that hold no part of the answer -> what they hold.
SILENT_DELTA: Mapping[str, str] = {
    "channel": "Groq: which channel of gpt-oss's format the text came from",
    "executed_tools": "Groq: tools the server ran; their result is in the text",
    "name": "Hugging Face: always the role again",
    "provider_metadata": "Vercel's gateway: routing and cost",
    "reasoning_encrypted": "Venice: whether reasoning was encrypted; no data",
    "token_id": "Together, Hugging Face: the last token's number",
}

# Every field of a delta that is a part of the answer.
DELTA = frozenset(
    {
        "role",
        "content",
        "refusal",
        "audio",
        "tool_calls",
        "function_call",
        *REASONING,
        REASONING_DETAILS,
    }
)
