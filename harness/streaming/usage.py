"""Usage, read from a provider's object by the table of its protocol.

Rules of this file: counts on a stream are cumulative, so a later count replaces an earlier one
field by field, and nothing is summed over events; a field that is missing, null or not a count was
not reported, while zero was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model import Usage
from harness.protocols.paths import get

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model import JSON


def counts_of(usage: object, table: Mapping[str, str]) -> dict[str, int]:
    """Return the counts a usage object reports, by our field names.

    Args:
        usage: the provider's object, a mapping or an SDK model; None reports nothing.
        table: our field -> the dotted path of the provider's.
    """
    values = {ours: get(usage, path) for ours, path in table.items()}
    return {ours: value for ours, value in values.items() if type(value) is int and value >= 0}


def usage_of(counts: Mapping[str, int]) -> Usage | None:
    """Return the usage with these counts; None where nothing was reported.

    Where both were reported, a missing total is input plus output.
    """
    if not counts:
        return None
    complete = dict(counts)
    if "total" not in complete and "input" in complete and "output" in complete:
        complete["total"] = complete["input"] + complete["output"]
    return Usage(**complete)


def raw_of(usage: Any) -> JSON:
    """Return a provider's object as the JSON it was sent as, without fields it did not send.

    SDKs build models without validating them, so pydantic's warnings about types mean nothing.
    """
    dump = getattr(usage, "model_dump", None)
    if not callable(dump):
        return usage
    return dump(mode="json", exclude_unset=True, warnings=False)
