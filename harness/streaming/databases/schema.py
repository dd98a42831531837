"""Creates and upgrades tables in numbered steps, each run once.

Rules of this file: the version of a schema is the number of its steps; a released step is never
edited, a change is a new step at the end; the tables of a newer program are refused. Nothing here
runs SQL: ``install`` yields statements and is sent their rows, so the thread of SQLite and the
event loop of PostgreSQL use the same code.
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

_CREATE_VERSIONS = """
CREATE TABLE IF NOT EXISTS harness_schemas (room TEXT PRIMARY KEY, version INTEGER NOT NULL)
"""
_VERSION = "SELECT version FROM harness_schemas WHERE room = :room"
_SET_VERSION = """
INSERT INTO harness_schemas (room, version) VALUES (:room, :version)
ON CONFLICT (room) DO UPDATE SET version = excluded.version
"""


@dataclass(frozen=True)
class Schema:
    """The tables of one feature.

    Args:
        name: the name under which its version is stored.
        steps: one SQL statement each, in the order in which they were released.
    """

    name: str
    steps: tuple[str, ...]

    @property
    def version(self) -> int:
        """The version: the number of steps."""
        return len(self.steps)

    def install(self) -> Generator[Statement, list[Row], None]:
        """Yield the statements to run, in one transaction that excludes other programs.

        Raises:
            HarnessError: a newer program created the tables.
        """
        yield _CREATE_VERSIONS, {}
        rows = yield _VERSION, {"room": self.name}
        found: int = rows[0]["version"] if rows else 0
        if found > self.version:
            raise HarnessError(
                f"the database has {self.name} of version {found}, this program supports "
                f"{self.version}: update the program"
            )
        for step in self.steps[found:]:
            yield step, {}
        if found < self.version:
            yield _SET_VERSION, {"room": self.name, "version": self.version}

    def existing(self) -> ExistingSchema:
        """Return the same tables for a reader, which never creates them."""
        return ExistingSchema(self.name, self.steps)


class ExistingSchema(Schema):
    """Tables that must exist: a reader may have named the wrong database."""

    def install(self) -> Generator[Statement, list[Row], None]:
        """Yield the query of the version; it fails in the database if there are no tables.

        Raises:
            HarnessError: another version of the program created the tables.
        """
        rows = yield _VERSION, {"room": self.name}
        found: int = rows[0]["version"] if rows else 0
        if found != self.version:
            raise HarnessError(
                f"the database has {self.name} of version {found}, this program reads "
                f"{self.version}"
            )
