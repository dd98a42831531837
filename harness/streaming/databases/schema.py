"""How a room's tables come to be and grow: numbered steps, each taken once.

Rules of this file: the version of a schema is the number of its steps; a step that was released is
never edited, a change is a new step at the end; tables of a newer program are refused, not guessed.
Nothing here runs SQL: ``install`` yields statements and is sent their rows, so one text serves the
thread of SQLite and the event loop of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Generator

Row: TypeAlias = dict[str, Any]  # column -> value
Values: TypeAlias = Mapping[str, Any]  # name of a placeholder -> text, number or None
Statement: TypeAlias = tuple[str, Values]

_VERSIONS = """
CREATE TABLE IF NOT EXISTS harness_schemas (room TEXT PRIMARY KEY, version INTEGER NOT NULL)
"""
_FOUND = "SELECT version FROM harness_schemas WHERE room = :room"
_TAKEN = """
INSERT INTO harness_schemas (room, version) VALUES (:room, :version)
ON CONFLICT (room) DO UPDATE SET version = excluded.version
"""


@dataclass(frozen=True)
class Schema:
    """The tables of one room.

    Args:
        room: the word its version is kept under.
        steps: one SQL statement each, in the order they were released.
    """

    room: str
    steps: tuple[str, ...]

    @property
    def version(self) -> int:
        """The number of its steps."""
        return len(self.steps)

    def install(self) -> Generator[Statement, list[Row], None]:
        """Yield what is to be run, in one transaction that no other program interrupts.

        Raises:
            HarnessError: the tables were made by a newer program.
        """
        yield _VERSIONS, {}
        rows = yield _FOUND, {"room": self.room}
        found: int = rows[0]["version"] if rows else 0
        if found > self.version:
            raise HarnessError(
                f"the database holds {self.room} of version {found}, this program knows "
                f"{self.version}: update the program"
            )
        for step in self.steps[found:]:
            yield step, {}
        if found < self.version:
            yield _TAKEN, {"room": self.room, "version": self.version}

    def existing(self) -> Existing:
        """Return the same tables for a reader: nothing is made where they are not."""
        return Existing(self.room, self.steps)


class Existing(Schema):
    """Tables that must stand already; whoever reads a database may have named the wrong one."""

    def install(self) -> Generator[Statement, list[Row], None]:
        """Yield what finds the tables; the database itself objects where there are none.

        Raises:
            HarnessError: the tables were made by another version of the program.
        """
        rows = yield _FOUND, {"room": self.room}
        found: int = rows[0]["version"] if rows else 0
        if found != self.version:
            raise HarnessError(
                f"the database holds {self.room} of version {found}, this program reads "
                f"{self.version}"
            )
