"""The JSON objects of a Responses stream as they are when they are opened, before anything grows.

https://developers.openai.com/api/reference/resources/responses (response, items, parts, usage)
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON

    Fields: TypeAlias = dict[str, JSON]

MODEL, RESPONSE_ID = "gpt-5-mini", "resp_1"

# What every response object holds; the rest of the request that it repeats is left out.
RESPONSE: Fields = {
    "object": "response",
    "created_at": 1767225600,
    "status": "in_progress",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "output": [],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": None,
}

# The events before the first item -> the status of the response that they carry.
OPENINGS: Mapping[str, str] = {
    "response.created": "in_progress",
    "response.queued": "queued",
    "response.in_progress": "in_progress",
}

_USAGE: Fields = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
# What the response of each terminal event holds besides its status and output.
ENDINGS: Mapping[str, Fields] = {
    "response.completed": {"usage": _USAGE},
    "response.incomplete": {
        "incomplete_details": {"reason": "max_output_tokens"},
        "usage": _USAGE,
    },
    "response.failed": {
        "error": {"code": "server_error", "message": "The server had an error."},
        "usage": None,
    },
}

# Item type -> the prefix of its id, which is `<prefix>_<place>`, and what it holds besides type
# and id when it is added.
_ITEMS: Mapping[str, tuple[str, Fields]] = {
    "message": ("msg", {"status": "in_progress", "role": "assistant", "content": []}),
    "reasoning": ("rs", {"summary": []}),
    "function_call": ("fc", {"status": "in_progress", "name": "get_weather", "arguments": ""}),
    "custom_tool_call": ("ctc", {"status": "in_progress", "name": "run_code", "input": ""}),
    "web_search_call": ("ws", {"status": "in_progress", "action": {"type": "search"}}),
    "file_search_call": ("fs", {"status": "in_progress", "queries": []}),
    "code_interpreter_call": ("ci", {"status": "in_progress", "code": "", "outputs": None}),
    "image_generation_call": ("ig", {"status": "in_progress", "result": None}),
    "mcp_call": ("mcp", {"name": "echo", "server_label": "server", "arguments": ""}),
    "mcp_list_tools": ("mcpl", {"server_label": "server", "tools": []}),
    "mcp_approval_request": ("mcpr", {"name": "echo", "server_label": "server", "arguments": "{}"}),
    "compaction": ("cmp", {"encrypted_content": ""}),
}
# Items with a call_id, which the client repeats with the result.
_CALLED = frozenset({"function_call", "custom_tool_call"})

# What a part, and the events that grow it, hold besides their text.
PART_FIELDS: Mapping[str, Fields] = {"output_text": {"annotations": []}}
EVENT_FIELDS: Mapping[str, Fields] = {"response.output_text": {"logprobs": []}}
ANNOTATION: Fields = {
    "type": "url_citation",
    "url": "https://example.com",
    "title": "Example",
    "start_index": 0,
    "end_index": 1,
}
# An error event whose payload has no `error` object is flat.
ERROR: Fields = {"code": "server_error", "message": "The server had an error.", "param": None}


def new_item(index: int, item: JSON) -> Fields:
    """Return an item as it is added: empty, with ids that follow from its place.

    Args:
        index: its output index.
        item: names its ``type``; without one it is a message.
    """
    kind = item.get("type", "message") if isinstance(item, dict) else "message"
    prefix, fields = _ITEMS.get(kind, (kind, {"status": "in_progress"}))
    called = {"call_id": f"call_{index + 1}"} if kind in _CALLED else {}
    return {"type": kind, "id": f"{prefix}_{index + 1}", **called, **deepcopy(fields)}
