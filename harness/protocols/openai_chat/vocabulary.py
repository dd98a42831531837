"""The words of OpenAI's Chat Completions stream, each in the one table that owns it.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events

Compatible servers add words of their own; those stand in tables of their own, with their source,
so that it stays visible what OpenAI itself promises.
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

# What compatible servers say instead. A word that stands in neither table means `unknown`; the
# empty word is no reason at all but their way to write null (catalogue OC-015).
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

# Where two reasons are given, the heavier one stands (catalogue OC-020): a plain stop says least,
# and whatever is not named here says that something was cut.
FINISH_WEIGHT: Mapping[FinishReason, int] = {"stop": 0, "tool_calls": 1}
CUT = 2

# Finish reasons after which a call is whole because the provider says so; after the next group only
# a call whose arguments are one JSON object; after any other no call is.
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

# Where else a count stands if it does not stand there.
VENDOR_USAGE: Mapping[str, str] = {
    "cached": "prompt_cache_hit_tokens",  # https://api-docs.deepseek.com/guides/kv_cache
    "reasoning": "reasoning_tokens",  # GitHub Copilot, as recorded
}

# Fields of a delta that carry the words of the model's thinking, the first that holds some counts:
# reasoning_content https://api-docs.deepseek.com/guides/reasoning_model (also vLLM, Z.ai, xAI),
# reasoning https://openrouter.ai/docs/use-cases/reasoning-tokens (also Groq, gpt-oss servers).
REASONING = ("reasoning_content", "reasoning")

# The same thinking as typed items, with signatures and encrypted blobs that the next request has
# to bring back: https://openrouter.ai/docs/use-cases/reasoning-tokens
REASONING_DETAILS = "reasoning_details"

# Fields of compatible servers' deltas that hold no word of the answer, and what they hold.
SILENT_DELTA: Mapping[str, str] = {
    "channel": "Groq: which channel of gpt-oss's format the words came from",
    "executed_tools": "Groq: tools the server ran; their result is in the words",
    "name": "Hugging Face: the speaker's name, always the role again",
    "provider_metadata": "Vercel's gateway: routing and cost",
    "reasoning_encrypted": "Venice: whether thinking was encrypted, no blob",
    "token_id": "Together, Hugging Face: the last token's number",
}

# Every field of a delta that says something about the answer.
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
