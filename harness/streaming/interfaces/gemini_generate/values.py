"""What the values of google-genai's models are on the wire.

Rule of this file: the SDK and the fast path hand out different Python values for the same JSON
(bytes or base64, an enum member or its word); from here on they are the same.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from harness.protocols.gemini_generate.vocabulary import NUMBERS

if TYPE_CHECKING:
    from harness.model import JSON


def word_of(reason: Any) -> str:
    """Return the wire's word of an enum member, of its number, or of a plain word."""
    value = getattr(reason, "value", reason)
    return NUMBERS.get(value, str(value)) if isinstance(value, int) else str(value)


def signature_of(part: Any) -> str | None:
    """Return a part's thought signature as base64 text; an empty one is none."""
    return base64_of(getattr(part, "thought_signature", None)) or None


def base64_of(data: Any) -> str | None:
    """Return bytes as the base64 text they were on the wire."""
    return b64encode(data).decode() if isinstance(data, bytes) else data


def compact(arguments: JSON) -> str:
    """Return JSON without blanks: Gemini sends values, so the text of arguments is ours."""
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def json_of(value: Any) -> JSON:
    """Return an object as the JSON it was on the wire.

    An enum member the SDK made up for a new word has no serializer, hence no warnings.
    """
    dump = getattr(value, "model_dump", None)
    if not callable(dump):
        return value
    return dump(mode="json", by_alias=True, exclude_none=True, warnings=False)


def fields_of(part: Any) -> str:
    """Name what an unknown part holds; the SDK strips the fields it does not know."""
    return "+".join(sorted(part)) if isinstance(part, dict) and part else "without data"
