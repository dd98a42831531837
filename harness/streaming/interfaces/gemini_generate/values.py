"""google-genai's values as they are on the wire.

Rule of this file: the SDK and the events decoded from the wire have different Python values for the
same JSON (bytes or base64, an enum member or its string); these functions return one form of them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from harness.protocols.gemini_generate.vocabulary import NUMBERS

if TYPE_CHECKING:
    from harness.model import JSON


def wire_value(reason: Any) -> str:
    """Return an enum member, its number or a plain string as the string on the wire."""
    value = getattr(reason, "value", reason)
    return NUMBERS.get(value, str(value)) if isinstance(value, int) else str(value)


def signature_of(part: Any) -> str | None:
    """Return a part's thought signature as base64 text; None where it is empty."""
    return base64_of(getattr(part, "thought_signature", None)) or None


def base64_of(data: Any) -> str | None:
    """Return bytes as the base64 text they were on the wire."""
    return b64encode(data).decode() if isinstance(data, bytes) else data


def compact(arguments: JSON) -> str:
    """Return compact JSON: Gemini sends values, so the text of the arguments is our own."""
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def json_of(value: Any) -> JSON:
    """Return an object as the JSON it was on the wire.

    An enum member that the SDK creates for an unknown value has no serializer: hence no warnings.
    """
    dump = getattr(value, "model_dump", None)
    if not callable(dump):
        return value
    return dump(mode="json", by_alias=True, exclude_none=True, warnings=False)


def field_names(part: Any) -> str:
    """Return the field names of an unknown part; the SDK drops fields it does not know."""
    return "+".join(sorted(part)) if isinstance(part, dict) and part else "without data"
