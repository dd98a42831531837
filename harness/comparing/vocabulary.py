"""The changes of an SDK's vocabulary in an upgrade: words added, removed and renamed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.model import Value
from harness.sdks.vocabulary import CoverageRow, coverage_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.sdks.binding import Vocabulary
    from harness.sdks.vocabulary import ScenarioCounts

How: TypeAlias = Literal["added", "removed", "renamed"]
_LIKE = 0.9  # of two words, from which on the one is taken for the other's new name


class WordChange(Value):
    """One word that differs between the vocabularies; ``was`` is the old name of a renamed one."""

    how: How
    row: CoverageRow
    was: str | None = None

    @property
    def unclassified(self) -> bool:
        """Whether the upgrade adds a word that is in no table yet."""
        return self.how != "removed" and self.row.where == "unknown"

    @property
    def cure(self) -> str:
        """The edit that classifies a new word."""
        row = self.row
        return (
            f"harness/protocols/{row.protocol}/: hold {row.word!r} in the table of "
            f'{row.category}, or add to unmodelled "{row.category}": '
            f'{{"{row.word}": "the reason why no table holds it"}}'
        )


def word_changes(
    before: Mapping[str, Vocabulary], after: Mapping[str, Vocabulary], used: ScenarioCounts
) -> list[WordChange]:
    """Return the changes of an upgrade, ordered by protocol, category and word.

    Only protocols both sides know are compared: an SDK that is missing has not lost its words.

    Args:
        before: the vocabulary of the older SDKs: protocol -> category -> words.
        after: that of the newer ones.
        used: protocol -> category -> word -> how many scenarios contain it.
    """
    shared = [name for name in before if name in after]
    old = {_place(row): row for row in coverage_of({n: before[n] for n in shared}, used)}
    new = {_place(row): row for row in coverage_of({n: after[n] for n in shared}, used)}
    gone = {place: row for place, row in old.items() if place not in new}
    changes = list(_changes(gone, {place: row for place, row in new.items() if place not in old}))
    return sorted(changes, key=lambda change: _place(change.row))


def _place(row: CoverageRow) -> tuple[str, str, str]:
    return (row.protocol, row.category, row.word)


def _changes(
    gone: dict[tuple[str, str, str], CoverageRow], come: dict[tuple[str, str, str], CoverageRow]
) -> Iterator[WordChange]:
    for (name, category, word), row in come.items():
        lost = [known for *where, known in gone if where == [name, category]]
        near = get_close_matches(word, lost, n=1, cutoff=_LIKE)
        if near:
            del gone[name, category, near[0]]
            yield WordChange(how="renamed", row=row, was=near[0])
        else:
            yield WordChange(how="added", row=row)
    for row in gone.values():
        yield WordChange(how="removed", row=row)
