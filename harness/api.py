"""The functions of the public API: ``run``, ``replay``, ``check``, ``compare`` and ``record``.

``harness`` exports them, and ``fuzz``, which is defined in ``harness.fuzzing.decorator``;
docs/api.md documents all of it. Each function imports what it needs when it is called.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import InputError, TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cassettes.recorder.playback_index import Mode
    from harness.cassettes.recorder.session import Recording as Recorder
    from harness.comparing.events import ComparisonFinished
    from harness.engine.results import ScenarioResult
    from harness.model import Outcome
    from harness.playback.recordings import Recording
    from harness.protocols.grammar import Violation
    from harness.targets.base import Function, Target

    AnyTarget: TypeAlias = str | Target | type[Target] | Function


class ScenarioResults(list["ScenarioResult"]):
    """The results of ``run``, in the order of the scenarios."""

    def assert_passes(self) -> None:
        """Do nothing if every requirement and invariant holds.

        Raises:
            AssertionError: at least one does not; the text names each with its expected value, its
                actual value and the command that reproduces it.
        """
        __tracebackhide__ = True
        failures = [text for result in self if (text := _failures(result))]
        if failures:
            raise AssertionError("\n\n".join(failures))


def _failures(result: ScenarioResult) -> str:
    try:
        result.assert_passes()
    except AssertionError as error:
        return str(error)
    return ""


def run(
    *select: str,
    target: AnyTarget = "builtin",
    scenarios: Path | str | None = None,
    timeout: float = 10.0,
) -> ScenarioResults:
    """Replay scenarios into a target and check what it delivers.

    Args:
        select: globs over scenario ids, or words of their paths; none means all.
        target: an address such as ``"builtin"`` or ``"python:my.app:listen"``, a target object, its
            class, or an ``async def listen(call: Call) -> Outcome``.
        scenarios: folder of scenarios; None is ``./scenarios``, or else the bundled ones.
        timeout: seconds per stream.

    Raises:
        InputError: a selector matches nothing, a scenario file is not valid, or the target cannot
            be found or made.
    """
    from harness.aborting import sweep
    from harness.engine.replayer import Replayer
    from harness.engine.reproducing import scenario_run
    from harness.engine.scenario_runner import ScenarioRunner
    from harness.engine.selection import select_scenarios

    this_program = shlex.join(sys.orig_argv)  # where no other command can import the target
    selected, errors = select_scenarios(_folder(scenarios), select)
    if errors:
        raise errors[0]
    with Replayer(timeout) as replayer, Replayer(timeout, in_memory=True) as memory:
        runner = ScenarioRunner(replayer, memory, sweep)
        return ScenarioResults(
            runner.run(scenario_run(scenario, target, this_program), target)
            for scenario in selected
        )


def replay(
    path: Path | str,
    *,
    target: AnyTarget = "builtin",
    protocol: str | None = None,
    cut: str = "event",
    timeout: float = 60.0,
) -> Outcome:
    """Replay a recorded response into a target and return what it delivers.

    Args:
        path: a response body or a cassette; ``"chat.yaml#2"`` is the second exchange of a cassette.
        target: as for ``run``.
        protocol: the protocol of a recording whose own cannot be detected.
        cut: how to split the bytes into reads: a plan of ``harness replay --cut``.
        timeout: seconds for the stream.

    Raises:
        InputError: the recording cannot be used, or the target cannot be found or made.
        TargetError: the target raised, hung or returned something that is not an outcome.
    """
    from harness.engine.replayer import Replayer
    from harness.protocols import protocol as protocol_named
    from harness.targets.base import Call

    recording = _recording(path, protocol)
    call = Call(recording.protocol, request=protocol_named(recording.protocol).request)
    with Replayer(timeout) as replayer:
        result = replayer.replay(target, call, recording.script(cut))
    if result.problem:
        raise TargetError(f"{recording.name}: the target {result.problem}")
    return result.outcome


def check(path: Path | str, *, protocol: str | None = None) -> list[Violation]:
    """Return where a recorded stream violates its protocol's event order; empty if it is legal.

    Args:
        path: a response body or a cassette; ``"chat.yaml#2"`` is the second exchange of a cassette.
        protocol: the protocol of a recording whose own cannot be detected.

    Raises:
        InputError: the recording cannot be used.
    """
    from harness.protocols import protocol as protocol_named

    recording = _recording(path, protocol)
    violations = protocol_named(recording.protocol).violations(recording.events())
    return [violation for violation in violations if violation.severity == "violation"]


def compare(
    before: str,
    after: str,
    *select: str,
    target: str = "builtin",
    scenarios: Path | str | None = None,
    timeout: float = 20.0,
) -> ComparisonFinished:
    """Replay the same scenarios on two sides and classify the differences.

    Args:
        before: requirements (``"openai==2.54.0"``), a file of them, ``"current"``, or a target.
        after: the same for the other side.
        select: globs over scenario ids, or words of their paths; none means all.
        target: the address of the target that runs under both sets of requirements.
        scenarios: folder of scenarios; None is ``./scenarios``, or else the bundled ones.
        timeout: seconds per reply.

    Returns:
        The comparison: ``groups`` of like differences, ``counts`` of streams per category, and the
        number of streams that are the ``same``.

    Raises:
        InputError: a side or a file cannot be used, or a selector matches nothing.
    """
    from harness.comparing.comparison import Settings
    from harness.comparing.comparison import compare as events_of
    from harness.comparing.events import ComparisonFinished, UnusableInput
    from harness.comparing.streams import select_streams
    from harness.targets.addresses import check_form, environment_of, in_environment

    sides = tuple((side, in_environment(side, target)) for side in (before, after))
    for _, address in sides:
        check_form(environment_of(address).target)
    command = shlex.join(["harness", "compare", "{}", before, after, "--target", target])
    streams, errors = select_streams(_folder(scenarios), (), select)
    for event in events_of(streams, Settings(target, sides, command, timeout), errors):
        if isinstance(event, UnusableInput):
            raise event.error
        if isinstance(event, ComparisonFinished):
            return event
    raise AssertionError("a comparison ends with its result")  # pragma: no cover


def record(path: Path | str, mode: Mode = "once", *, upstream: Sequence[str] = ()) -> Recorder:
    """Return a context manager that records, or replays, what SDK clients exchange with providers.

    Inside the block, give it clients: ``recorder.wrap(OpenAI())``; or give clients its address:
    ``recorder.base_url("openai")``. Secrets are masked before anything is written.

    Args:
        path: the cassette.
        mode: ``none``, ``once``, ``new_episodes`` or ``all`` as in vcrpy, or ``rewrite``.
        upstream: ``NAME=URL`` of servers besides those that the SDKs know.

    Raises:
        InputError: the cassette or an argument is not valid.
    """
    from harness.cassettes.recorder.session import Recording

    return Recording(path, mode, upstream=upstream)


def _folder(scenarios: Path | str | None) -> Path:
    from harness.scenarios import scenario_root

    return scenario_root(None if scenarios is None else Path(scenarios))


def _recording(path: Path | str, protocol: str | None) -> Recording:
    """Return one recording: of a file, or with ``#N`` exchange N of a cassette.

    Raises:
        InputError: there is none, there are several, or its protocol is not supported.
    """
    from harness.playback.recordings import SkippedRecording, recordings

    name, _, number = str(path).rpartition("#")
    numbered = bool(name) and number.isdecimal() and not Path(path).exists()
    file = Path(name if numbered else path)
    if file.is_dir():
        raise InputError("a folder; name one recording in it", path=file)
    found = list(recordings([file], protocol))
    if not numbered and len(found) != 1:
        raise InputError(f"it holds {len(found)} exchanges; name one, as in {file}#1", path=file)
    index = int(number) if numbered else 1
    if not 1 <= index <= len(found):
        raise InputError(f"it holds {len(found)} exchanges, and none is #{number}", path=file)
    recording = found[index - 1]
    if isinstance(recording, InputError):
        raise recording
    if isinstance(recording, SkippedRecording):
        raise InputError(f"{recording.name}: {recording.protocol} is not supported", path=file)
    return recording
