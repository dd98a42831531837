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
from harness.recordings import LeftOut, Recording, exchanges

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "imported"


@dataclass(frozen=True)
class Written:
    """What one recording became.

    Args:
        source: the file it came from.
        cassette: where it stands now.
        spoken: of each exchange its protocol, or in brackets why it has none that is spoken here.
        drafts: the scenarios drafted of it.
        masked: how many secrets were found and masked.
    """

    source: Path
    cassette: Path
    spoken: tuple[str, ...]
    drafts: tuple[Path, ...] = ()
    masked: int = 0


def import_recordings(
    paths: list[Path], out: Path, protocol: str | None, *, drafts: bool, force: bool
) -> Iterator[Written | PassedOver | InputError]:
    """Write a cassette of every recording below some paths.

    Args:
        paths: recordings, and folders of them.
        out: the folder whose ``cassettes/`` and ``scenarios/`` take them.
        protocol: what is spoken in recordings that do not tell.
        drafts: whether each exchange gets a scenario too.
        force: overwrite files that are there.
    """
    for found in importing(paths, protocol):
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
    cassette = scrubber.cassette(found.cassette)
    told = list(exchanges(cassette, path, protocol))
    texts = dict(_drafts(told, name, out)) if drafts else {}
    for place in (path, *texts):
        refuse_existing(place, force=force)
    save(cassette, path)
    for place, text in texts.items():
        write_new(place, text, force=True)
    masked = scrubber.found.total()
    return Written(found.path, path, tuple(map(_spoken, told)), tuple(texts), masked)


def _spoken(one: Recording | LeftOut) -> str:
    return one.protocol if isinstance(one, Recording) else f"({one.protocol})"


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
