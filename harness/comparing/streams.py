"""The streams of a comparison: scenarios, cassettes, recordings and drawn ones, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from harness.engine.selection import matching_ids, select_scenarios
from harness.errors import InputError
from harness.playback.recordings import SkippedRecording, recordings
from harness.protocols import names, protocol
from harness.scenarios import discover, id_of
from harness.targets.base import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.generation.cases import Case
    from harness.playback.recordings import Recording
    from harness.scenarios import Scenario
    from harness.wire.script import Script

Kind: TypeAlias = Literal["scenario", "recording", "drawn"]


class Stream(NamedTuple):
    """One response to replay, and its scenario where it has one."""

    name: str
    kind: Kind
    ask: Call
    script: Script
    scenario: Scenario | None = None


class Selection(NamedTuple):
    """The streams, and the files that could not be used."""

    streams: list[Stream]
    errors: list[InputError]


@dataclass(frozen=True)
class Sample:
    """How many streams to draw per protocol, and the seed."""

    count: int = 0
    seed: int = 0


def select_streams(
    root: Path, folders: Sequence[Path], selectors: Sequence[str], sample: Sample | None = None
) -> Selection:
    """Return every stream that a selector matches.

    Args:
        root: the folder of scenarios.
        folders: folders of recordings, or single files.
        selectors: globs over names, and words of them; none means all.
        sample: streams that are drawn besides, as ``harness fuzz`` draws them.

    Raises:
        InputError: there is no scenario at all.
        UnknownWordError: a selector names nothing.
    """
    found, errors = _recordings(folders)
    ids = [id_of(path, root) for path in discover(root)]
    drawn = list(_drawn(sample)) if sample and sample.count else []
    others = (*(recording.name for recording in found), *(stream.name for stream in drawn))
    names = set(matching_ids([*ids, *others], selectors))
    replayed = [name for name in ids if name in names]
    scenarios, wrong = select_scenarios(root, replayed) if replayed or not ids else ([], [])
    streams = [*map(_of_scenario, scenarios), *_of_recordings(found, names, errors)]
    streams += [stream for stream in drawn if stream.name in names]
    return Selection(streams, [*errors, *wrong])


def _recordings(folders: Sequence[Path]) -> tuple[list[Recording], list[InputError]]:
    found: list[Recording] = []
    errors: list[InputError] = []
    for each in recordings(folders):
        if isinstance(each, InputError):
            errors.append(each)
        elif not isinstance(each, SkippedRecording):
            found.append(each)
    return found, errors


def _drawn(sample: Sample) -> Iterator[Stream]:
    """Draw streams; a seed draws the same ones in every process."""
    try:
        from harness.generation.example_database import TrackingDatabase
        from harness.generation.search import Search
        from harness.generation.strategies import cases
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; `pip install 'llm-stream-harness[fuzz]'`"
        raise InputError(message) from error
    for name in names():
        found = _Collected()
        Search(cases(name), TrackingDatabase({}), name).draw(found, sample.count, sample.seed)
        for number, case in enumerate(found.cases):
            ask = Call(name, request=protocol(name).request)
            yield Stream(f"fuzz/{name}/{sample.seed}.{number}", "drawn", ask, case.script)


class _Collected:
    """A check that every case passes, and that stores each one."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def __call__(self, case: Case) -> bool:
        self.cases.append(case)
        return False


def _of_scenario(scenario: Scenario) -> Stream:
    ask = Call(
        scenario.protocol,
        request=scenario.call_arguments(),
        read_timeout=scenario.transport.read_timeout,
    )
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
        ask = Call(recording.protocol, request=protocol(recording.protocol).request)
        yield Stream(recording.name, "recording", ask, script)
