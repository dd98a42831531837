"""``harness import PATH…``: other tools' recordings become cassettes and draft scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cassettes import save
from harness.cassettes.importing.files import Imported, SkippedFile, import_files
from harness.cassettes.scrubbing import Scrubber
from harness.cli.import_.draft import draft
from harness.cli.import_.files import refuse_existing, write_new
from harness.errors import InputError
from harness.playback.recordings import Recording, SkippedRecording, exchanges

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "imported"


@dataclass(frozen=True)
class Written:
    """What one source became.

    Args:
        source: the file it came from, or the address of a trace.
        path: the file that was written.
        exchanges: every exchange in it.
        drafts: the scenarios drafted of them.
        masked: how many secrets were found and masked.
    """

    source: str
    path: Path
    exchanges: tuple[Recording | SkippedRecording, ...] = ()
    drafts: tuple[Path, ...] = ()
    masked: int = 0

    @property
    def protocols(self) -> tuple[str | None, ...]:
        """The protocol of each exchange, None where it is not supported."""
        return tuple(
            exchange.protocol if isinstance(exchange, Recording) else None
            for exchange in self.exchanges
        )

    @property
    def unsupported(self) -> bool:
        """Whether there are exchanges, and none has a supported protocol."""
        return bool(self.exchanges) and not any(self.protocols)


def import_recordings(
    path: Path, out: Path, protocol: str | None, *, drafts: bool, force: bool
) -> Iterator[Written | SkippedFile | InputError]:
    """Write a cassette of every recording below a path.

    Args:
        path: a recording, or a folder of them.
        out: the folder whose ``cassettes/`` and ``scenarios/`` are written.
        protocol: the protocol of recordings whose own cannot be detected.
        drafts: whether to draft a scenario of each exchange too.
        force: overwrite existing files.
    """
    for found in import_files([path], protocol):
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
    """Write a cassette and its drafts, or nothing where one of them exists already."""
    name = f"{TOPIC}/{found.name}.yaml"
    path = out / "cassettes" / name
    scrubber = Scrubber()
    try:
        cassette = scrubber.cassette(found.cassette)
    except InputError as error:
        raise error.at(found.path) from None
    recorded = tuple(exchanges(cassette, path, protocol))
    texts = dict(_drafts(recorded, name, out)) if drafts else {}
    for file in (path, *texts):
        refuse_existing(file, force=force)
    save(cassette, path)
    for file, text in texts.items():
        write_new(file, text, force=True)
    return Written(str(found.path), path, recorded, tuple(texts), scrubber.found.total())


def _drafts(
    recorded: tuple[Recording | SkippedRecording, ...], cassette: str, out: Path
) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each supported exchange's draft."""
    for number, exchange in enumerate(recorded, 1):
        if isinstance(exchange, SkippedRecording):
            continue
        name = cassette if len(recorded) == 1 else f"{cassette}#{number}"
        stem = name.replace(".yaml#", "-").removesuffix(".yaml")
        yield out / "scenarios" / exchange.protocol / f"{stem}.yaml", draft(exchange, name)
