"""The vocabulary of Anthropic's Messages stream; each word is in one table.

https://docs.claude.com/en/api/messages-streaming (events, blocks, deltas, usage)
https://docs.claude.com/en/api/handling-stop-reasons (stop reasons)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import FinishReason

# https://docs.claude.com/en/api/handling-stop-reasons
FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    # Bedrock's own: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    "malformed_tool_use": "error",
    "malformed_model_output": "error",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}

# Finish reasons after which none of the answer's calls may run, closed or not (catalogue AN-029).
# https://docs.claude.com/en/docs/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals
REVOKES_CALLS: frozenset[FinishReason] = frozenset({"refusal", "content_filter", "error"})

# Finish reasons after which a call without a byte of arguments may be a cut one (catalogue TR-013).
MAY_CUT_CALLS: frozenset[FinishReason] = frozenset({"length", "unknown"})

# A delta -> the fields by which it makes its block grow.
DELTA_FIELDS: Mapping[str, tuple[str, ...]] = {
    "text_delta": ("text",),
    "citations_delta": ("citation",),
    "thinking_delta": ("thinking",),
    "signature_delta": ("signature",),
    "input_json_delta": ("partial_json",),
    "compaction_delta": ("content", "encrypted_content"),
}

# Which deltas may grow which block, the usual one first; a block with none is complete in its
# start event.
DELTAS_OF: Mapping[str, tuple[str, ...]] = {
    "text": ("text_delta", "citations_delta"),
    "thinking": ("thinking_delta", "signature_delta"),
    "redacted_thinking": (),
    "tool_use": ("input_json_delta",),
    "server_tool_use": ("input_json_delta",),
    "mcp_tool_use": ("input_json_delta",),
    "compaction": ("compaction_delta",),
    "web_search_tool_result": (),
    "web_fetch_tool_result": (),
    "code_execution_tool_result": (),
    "bash_code_execution_tool_result": (),
    "text_editor_code_execution_tool_result": (),
    "tool_search_tool_result": (),
    "mcp_tool_result": (),
    "mcp_tool_listing": (),
    "advisor_tool_result": (),
    "container_upload": (),
    "fallback": (),
}

# Blocks that are the provider's own tools at work: shown in the content, never run by the client.
SERVER_TOOLS = frozenset({"server_tool_use", "mcp_tool_use"})

# Our usage field -> the path of the provider's.
# https://docs.claude.com/en/build-with-claude/prompt-caching (tracking cache performance)
USAGE: Mapping[str, str] = {
    "input": "input_tokens",
    "cached": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
    "output": "output_tokens",
    "reasoning": "output_tokens_details.thinking_tokens",
}

# Our fields that the provider counts beside its input and we inside ours: the whole prompt is the
# sum of all three (same document).
BESIDE_INPUT = ("cached", "cache_write")
