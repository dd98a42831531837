"""``harness import PATH…``: recordings of others become cassettes, and drafts of scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cassettes import save
from harness.cassettes.importing.walking import Imported, PassedOver, importing
from harness.cassettes.scrubbing import Scrubber
from harness.cli.import_draft import draft
from harness.cli.writing import refuse_existing, write_new
from harness.errors import InputError
from harness.playback.recordings import LeftOut, Recording, exchanges

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "imported"


@dataclass(frozen=True)
class Written:
    """What one source became.

    Args:
        source: the file it came from, or the address of a trace.
        path: what was written of it.
        told: every exchange in it.
        drafts: the scenarios drafted of them.
        masked: how many secrets were found and masked.
    """

    source: str
    path: Path
    told: tuple[Recording | LeftOut, ...] = ()
    drafts: tuple[Path, ...] = ()
    masked: int = 0

    @property
    def unspoken(self) -> bool:
        """Whether nothing in it is of a protocol spoken here."""
        return bool(self.told) and all(isinstance(one, LeftOut) for one in self.told)


def import_recordings(
    path: Path, out: Path, protocol: str | None, *, drafts: bool, force: bool
) -> Iterator[Written | PassedOver | InputError]:
    """Write a cassette of every recording below a path.

    Args:
        path: a recording, or a folder of them.
        out: the folder whose ``cassettes/`` and ``scenarios/`` take them.
        protocol: what is spoken in recordings that do not tell.
        drafts: whether each exchange gets a scenario too.
        force: overwrite files that are there.
    """
    for found in importing([path], protocol):
        if not isinstance(found, Imported):
            yield found
            continue
        try:
            yield _write(found, out, protocol, drafts=drafts, force=force)
        except InputError as error:
            yield error


def _write(
    found: Imported, out: Path, protocol: str | None, *, drafts: bool, force: bool
) -> Written:
    """Write a cassette and its drafts, or nothing where one of them is there already."""
    name = f"{TOPIC}/{found.name}.yaml"
    path = out / "cassettes" / name
    scrubber = Scrubber()
    try:
        cassette = scrubber.cassette(found.cassette)
    except InputError as error:
        raise error.at(found.path) from None
    told = list(exchanges(cassette, path, protocol))
    texts = dict(_drafts(told, name, out)) if drafts else {}
    for place in (path, *texts):
        refuse_existing(place, force=force)
    save(cassette, path)
    for place, text in texts.items():
        write_new(place, text, force=True)
    masked = scrubber.found.total()
    return Written(str(found.path), path, tuple(told), tuple(texts), masked)


def _drafts(
    told: list[Recording | LeftOut], cassette: str, out: Path
) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each exchange's draft."""
    for number, one in enumerate(told, 1):
        if isinstance(one, LeftOut):
            continue
        place = cassette if len(told) == 1 else f"{cassette}#{number}"
        stem = place.replace(".yaml#", "-").removesuffix(".yaml")
        yield out / "scenarios" / one.protocol / f"{stem}.yaml", draft(one, place)
