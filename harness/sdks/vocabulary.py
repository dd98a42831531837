"""What the installed SDKs know, joined with our tables and scenarios: the gate for SDK upgrades.

The words of an SDK are found in its types, never listed by hand (``SdkBinding.vocabulary``).
Categories are named as in ``Protocol.vocabulary``; fields by the SDK's attribute names, usage by
the dotted paths of its counts. Each word is in a table, unmodelled with a reason, or unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.model import Value
from harness.protocols import protocol
from harness.sdks import binding_of, names
from harness.sdks.installed import version_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.protocols.protocol import Protocol
    from harness.sdks.binding import Vocabulary

# Protocol -> category -> word -> the number of scenarios that send it.
ScenarioCounts: TypeAlias = "Mapping[str, Mapping[str, Mapping[str, int]]]"


class CoverageRow(Value):
    """One word that an installed SDK knows.

    ``where`` is the place where we know it, ``reason`` why no table holds it, ``scenarios`` the
    number of scenarios that send it.
    """

    protocol: str
    category: str
    word: str
    where: Literal["table", "unmodelled", "unknown"]
    reason: str = ""
    scenarios: int = 0


def versions() -> dict[str, str]:
    """Return the installed SDKs: distribution -> version."""
    distributions = dict.fromkeys(binding_of(name).distribution for name in names())
    found = {distribution: version_of(distribution) for distribution in distributions}
    return {distribution: number for distribution, number in found.items() if number}


def vocabulary(protocols: Collection[str] | None = None) -> dict[str, Vocabulary]:
    """Return what the installed SDKs know: protocol -> category -> words.

    Importing all of them takes four seconds; protocols whose SDK is not installed are left out.

    Args:
        protocols: the protocols to look at; None for all.
    """
    installed = versions()
    bindings = [binding_of(name) for name in names() if protocols is None or name in protocols]
    return {
        binding.protocol: binding.vocabulary()
        for binding in bindings
        if binding.distribution in installed
    }


def coverage(counts: ScenarioCounts) -> list[CoverageRow]:
    """Join what the installed SDKs know with our tables and with what scenarios send.

    Args:
        counts: protocol -> category -> word -> the number of scenarios that send it.

    Returns:
        One row per word of each installed SDK, in the order of protocol, category, word.
    """
    return coverage_of(vocabulary(), counts)


def coverage_of(
    vocabularies: Mapping[str, Vocabulary], counts: ScenarioCounts
) -> list[CoverageRow]:
    """Join the words of given SDKs with our tables and with what scenarios send (``coverage``)."""
    return [
        _row(protocol(name), category, word, counts.get(name, {}).get(category, {}).get(word, 0))
        for name, categories in vocabularies.items()
        for category, words in categories.items()
        for word in sorted(words)
    ]


def _row(known: Protocol, category: str, word: str, scenarios: int) -> CoverageRow:
    reasons = known.unmodelled.get(category, {})
    reason = next((reasons[path] for path in _with_parents(word) if path in reasons), None)
    in_table = word in known.vocabulary.get(category, ())
    where: Literal["table", "unmodelled", "unknown"] = (
        "table" if in_table else "unknown" if reason is None else "unmodelled"
    )
    return CoverageRow(
        protocol=known.name,
        category=category,
        word=word,
        where=where,
        reason=(reason or "") if where == "unmodelled" else "",
        scenarios=scenarios,
    )


def _with_parents(path: str) -> Iterator[str]:
    """Yield a dotted path and its parents: the reason of a group applies to its members."""
    while path:
        yield path
        path = path.rpartition(".")[0]
