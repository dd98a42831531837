"""Usage, read from a provider's object through its table.

Rules of this file: counts on a stream are cumulative, so a later count replaces an earlier one
field by field and nothing is summed over events; a field that is missing, null or no count at all
was not reported; zero is a report.
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
    found = {ours: get(usage, path) for ours, path in table.items()}
    return {ours: value for ours, value in found.items() if type(value) is int and value >= 0}


def usage_of(counts: Mapping[str, int]) -> Usage | None:
    """Return the usage of counts already in our meaning; None where nothing was reported.

    A total that was not reported is input plus output, where both were.
    """
    if not counts:
        return None
    whole = dict(counts)
    if "total" not in whole and "input" in whole and "output" in whole:
        whole["total"] = whole["input"] + whole["output"]
    return Usage(**whole)


def raw_of(usage: Any) -> JSON:
    """Return a provider's object as the JSON it was: what it did not send is left out.

    SDKs build models without looking at the types, so pydantic's warnings about them say nothing.
    """
    dump = getattr(usage, "model_dump", None)
    if not callable(dump):
        return usage
    return dump(mode="json", exclude_unset=True, warnings=False)
