"""What is told to both sides: scenarios, cassettes and other recordings, as one kind of value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.errors import InputError
from harness.protocols import protocol
from harness.recordings import LeftOut, recordings
from harness.runner.plan import choose, gather
from harness.runner.player import Ask
from harness.scenarios import discover, id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.recordings import Recording
    from harness.scenarios import Scenario
    from harness.wire.script import Script

Kind: TypeAlias = Literal["scenario", "recording"]


class Stream(NamedTuple):
    """One response to be told, and the law of its scenario where it has one."""

    name: str
    kind: Kind
    ask: Ask
    script: Script
    scenario: Scenario | None = None


class Chosen(NamedTuple):
    """The streams, and the files that could not be used."""

    streams: list[Stream]
    errors: list[InputError]


def chosen(root: Path, folders: Sequence[Path], selectors: Sequence[str]) -> Chosen:
    """Return every stream that any selector names.

    Args:
        root: the folder of scenarios.
        folders: folders of recordings, or single files.
        selectors: globs over names, and words of them; none means all.

    Raises:
        InputError: there is no scenario at all.
        UnknownWordError: a selector names nothing.
    """
    found, errors = _recordings(folders)
    ids = [id_of(path, root) for path in discover(root)]
    names = set(choose([*ids, *(recording.name for recording in found)], selectors))
    told = [name for name in ids if name in names]
    scenarios, wrong = gather(root, told) if told or not ids else ([], [])
    streams = [*map(_of_scenario, scenarios), *_of_recordings(found, names, errors)]
    return Chosen(streams, [*errors, *wrong])


def _recordings(folders: Sequence[Path]) -> tuple[list[Recording], list[InputError]]:
    found: list[Recording] = []
    errors: list[InputError] = []
    for each in recordings(folders):
        if isinstance(each, InputError):
            errors.append(each)
        elif not isinstance(each, LeftOut):
            found.append(each)
    return found, errors


def _of_scenario(scenario: Scenario) -> Stream:
    ask = Ask(scenario.protocol, scenario.ask(), scenario.transport.read_timeout)
    return Stream(scenario.id, "scenario", ask, scenario.script(), scenario)


def _of_recordings(
    found: Iterable[Recording], names: set[str], errors: list[InputError]
) -> Iterable[Stream]:
    for recording in found:
        if recording.name not in names:
            continue
        try:
            script = recording.script()
        except InputError as error:
            errors.append(error)
            continue
        ask = Ask(recording.protocol, protocol(recording.protocol).request)
        yield Stream(recording.name, "recording", ask, script)
