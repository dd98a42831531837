"""The vocabulary of OpenAI's Responses stream; each word is in one table.

https://developers.openai.com/api/reference/resources/responses (objects, items, usage)
https://developers.openai.com/api/reference/resources/responses/streaming-events (events)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import FinishReason

# incomplete_details.reason where there is one, else the status of the terminal response.
# `max_messages` is named there and not described: it is read as a cap, like the other `max_`.
# `steered` stops at a safe boundary and a successor response goes on: a pause.
INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "content_filter": "content_filter",
    "steered": "pause",
}
STATUS: Mapping[str, FinishReason] = {
    "completed": "stop",
    "incomplete": "length",  # without a reason (catalogue OR-004)
    "failed": "error",
    "cancelled": "cancelled",
}
FINISH: Mapping[str, FinishReason] = {**INCOMPLETE, **STATUS}

# Statuses of a response that has not ended.
RUNNING = frozenset({"queued", "in_progress"})

# The events that end a stream -> the status of the response they carry.
TERMINALS: Mapping[str, str] = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}

# Our usage field -> the path of the provider's, whose input holds the cache and whose output
# holds the reasoning: nothing is added.
USAGE: Mapping[str, str] = {
    "input": "input_tokens",
    "cached": "input_tokens_details.cached_tokens",
    "cache_write": "input_tokens_details.cache_write_tokens",
    "output": "output_tokens",
    "reasoning": "output_tokens_details.reasoning_tokens",
    "total": "total_tokens",
}


# Between the parts of one reasoning item when they are read as one text.
PARAGRAPH = "\n\n"


class Part(NamedTuple):
    """Where a kind of numbered part is.

    Args:
        item: the type of the item that holds it.
        parts: the item's list of such parts.
        numbered_by: the event field that holds its index.
        field: the part's own field that holds its text.
        frame: the stem of the events that open and close it.
    """

    item: str
    parts: str
    numbered_by: str
    field: str
    frame: str


_CONTENT, _SUMMARY = "response.content_part", "response.reasoning_summary_part"

PARTS: Mapping[str, Part] = {
    "output_text": Part("message", "content", "content_index", "text", _CONTENT),
    "refusal": Part("message", "content", "content_index", "refusal", _CONTENT),
    "reasoning_text": Part("reasoning", "content", "content_index", "text", _CONTENT),
    "summary_text": Part("reasoning", "summary", "summary_index", "text", _SUMMARY),
}

# Stem of the events whose `.delta` grows a part and whose `.done` repeats it -> the part.
PART_EVENTS: Mapping[str, str] = {
    "response.output_text": "output_text",
    "response.refusal": "refusal",
    "response.reasoning_text": "reasoning_text",
    "response.reasoning_summary_text": "summary_text",
}

# The same for events that grow a field of the item itself -> the item's type and that field.
FIELD_EVENTS: Mapping[str, tuple[str, str]] = {
    "response.function_call_arguments": ("function_call", "arguments"),
    "response.custom_tool_call_input": ("custom_tool_call", "input"),
    "response.mcp_call_arguments": ("mcp_call", "arguments"),
    "response.code_interpreter_call_code": ("code_interpreter_call", "code"),
}

# In the SDK's union of events, but without an index of the item that they grow, and this endpoint
# sends no audio.
AUDIO_EVENTS = (
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
)


class Phase(NamedTuple):
    """One step in the progress of an item.

    Args:
        events: the events that report it; any one of them does.
        repeats: whether it may come several times.
        expected: whether the documents show it on every item; for an item without it, they do not
            say whether that is legal.
    """

    events: tuple[str, ...]
    repeats: bool = False
    expected: bool = False


def _growing(stem: str, *, expected: bool = False) -> tuple[Phase, Phase]:
    """Return the phases of a field: its deltas, then the event that repeats it as a whole."""
    return Phase((f"{stem}.delta",), repeats=True), Phase((f"{stem}.done",), expected=expected)


# Item type -> its phases, in their order; any of them may be left out.
PROGRESS: Mapping[str, tuple[Phase, ...]] = {
    "message": (),
    "reasoning": (),
    "function_call": _growing("response.function_call_arguments", expected=True),
    "custom_tool_call": _growing("response.custom_tool_call_input", expected=True),
    "web_search_call": (
        Phase(("response.web_search_call.in_progress",)),
        Phase(("response.web_search_call.searching",)),
        Phase(("response.web_search_call.completed",)),
    ),
    "file_search_call": (
        Phase(("response.file_search_call.in_progress",)),
        Phase(("response.file_search_call.searching",)),
        Phase(("response.file_search_call.completed",)),
    ),
    "code_interpreter_call": (
        Phase(("response.code_interpreter_call.in_progress",)),
        *_growing("response.code_interpreter_call_code"),
        Phase(("response.code_interpreter_call.interpreting",)),
        Phase(("response.code_interpreter_call.completed",)),
    ),
    "image_generation_call": (
        Phase(("response.image_generation_call.in_progress",)),
        Phase(("response.image_generation_call.generating",)),
        Phase(("response.image_generation_call.partial_image",), repeats=True),
        Phase(("response.image_generation_call.completed",)),
    ),
    "mcp_call": (
        Phase(("response.mcp_call.in_progress",)),
        *_growing("response.mcp_call_arguments"),
        Phase(("response.mcp_call.completed", "response.mcp_call.failed")),
    ),
    "mcp_list_tools": (
        Phase(("response.mcp_list_tools.in_progress",)),
        Phase(("response.mcp_list_tools.completed", "response.mcp_list_tools.failed")),
    ),
    "compaction": (Phase(("response.compaction.compacting",), repeats=True),),
    # Items that are added and done, without progress in between.
    "additional_tools": (),
    "apply_patch_call": (),
    "apply_patch_call_output": (),
    "computer_call": (),
    "computer_call_output": (),
    "custom_tool_call_output": (),
    "function_call_output": (),
    "local_shell_call": (),
    "local_shell_call_output": (),
    "mcp_approval_request": (),
    "mcp_approval_response": (),
    "program": (),
    "program_output": (),
    "shell_call": (),
    "shell_call_output": (),
    "tool_search_call": (),
    "tool_search_output": (),
}

# Calls that the client has to execute although they are not function calls: the tool's name in the
# request, and the fields that describe what to do.
# https://developers.openai.com/api/docs/guides/tools-computer-use, tools-shell, tools-apply-patch
CLIENT_CALLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "apply_patch_call": ("apply_patch", ("operation",)),
    "computer_call": ("computer", ("action", "actions", "pending_safety_checks")),
    "local_shell_call": ("local_shell", ("action",)),
    "shell_call": ("shell", ("action",)),
    "tool_search_call": ("tool_search", ("arguments",)),
}

# The same items where the provider executes them itself: a path, and its value in that case.
HOSTED: Mapping[str, tuple[str, str]] = {
    "shell_call": ("environment.type", "container_reference"),
    "tool_search_call": ("execution", "server"),
}
