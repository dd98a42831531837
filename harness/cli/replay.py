"""``harness replay``: recorded responses into a target; one outcome each."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.cli import options as shared
from harness.cli.output import totals, warn
from harness.errors import InputError
from harness.reports.files import json_text
from harness.wire import cut_plans

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.engine.replayer import Replayer
    from harness.engine.results import TargetResult
    from harness.model import Outcome
    from harness.playback.recordings import Recording, SkippedRecording

SUMMARY = "replay recorded responses into a target and print the outcomes"
EXAMPLES = (
    "harness replay recording.sse",
    "harness replay recordings/ --json > outcomes.jsonl",
    "harness replay recording.sse --cut every --target sdk",
    "harness replay cassettes/ --cut recorded --pace recorded",
)
_EVERY = "every"
_RECORDED = "recorded"
_AT_FAULT, _BAD_INPUT = "target at fault", "bad input"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and arguments."""
    shared.add_recordings(parser)
    shared.add_target(parser)
    parser.add_argument(
        "--cut",
        default="event",
        metavar="PLAN",
        help="how to split the bytes into reads: "
        f"{shared.any_of((*cut_plans.PLANS, _EVERY))} (one cut at each offset in turn) "
        "(default: event)",
    )
    parser.add_argument(
        "--pace",
        type=_seconds_or_recorded,
        default=0.0,
        metavar="S",
        help="seconds before each read, or recorded (with --cut recorded) for the recorded delays",
    )
    shared.add_timeout(parser, 60.0)
    shared.add_json(parser, 'one line {"name", "outcome"} per recording')


def _seconds_or_recorded(text: str) -> float | str:
    return text if text == _RECORDED else shared.seconds(text)


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from harness.engine.replayer import Replayer
    from harness.playback.recordings import recordings
    from harness.protocols import protocol
    from harness.targets.addresses import replies_once
    from harness.targets.resolving import check

    check(arguments.target)
    if arguments.protocol is not None:
        protocol(arguments.protocol)
    if arguments.cut != _EVERY:
        cut_plans.check(arguments.cut)
    counts: Counter[str] = Counter()
    in_memory = not replies_once(arguments.target)  # another process needs a socket
    with Replayer(arguments.timeout, in_memory=in_memory) as replayer:
        for found in recordings(arguments.paths, arguments.protocol):
            counts[_replay(replayer, found, arguments)] += 1
    sys.stderr.write(f"{totals(counts)}\n")
    return 1 if counts[_AT_FAULT] else 2 if counts[_BAD_INPUT] else 0


def _replay(
    replayer: Replayer,
    found: Recording | SkippedRecording | InputError,
    arguments: argparse.Namespace,
) -> str:
    """Replay one recording, print its line, and return the name it is counted under."""
    from harness.playback.recordings import SkippedRecording

    if isinstance(found, SkippedRecording):
        return f"skipped ({found.protocol})"
    try:
        if isinstance(found, InputError):
            raise found
        result = _result(replayer, arguments, found)
    except InputError as error:
        warn(error)
        return _BAD_INPUT
    if result.problem:
        warn(f"{found.name}: {arguments.target} {result.problem}")
    sys.stdout.write(f"{_line(found, result.outcome, as_json=arguments.json)}\n")
    return _AT_FAULT if result.problem else "replayed"


def _result(
    replayer: Replayer, arguments: argparse.Namespace, recording: Recording
) -> TargetResult:
    """Replay a recording under one cut plan, or under each offset in turn.

    A cut that changes the outcome is a defect of the target.
    """
    from harness.protocols import protocol
    from harness.targets.base import Call

    request = Call(recording.protocol, request=protocol(recording.protocol).request)
    plans = _plans(recording, arguments.cut)
    script = recording.script(next(plans), arguments.pace)
    first = replayer.replay(arguments.target, request, script)
    for plan in plans:
        other = replayer.replay(arguments.target, request, script._replace(cut=plan))
        if first.problem is None and other != first:
            return other._replace(problem=f"changes its outcome under --cut {plan}")
    return first


def _plans(recording: Recording, cut: str) -> Iterator[str]:
    if cut != _EVERY:
        return iter((cut,))
    return iter(("whole", *cut_plans.every_offset(len(recording.script().body))))


def _line(recording: Recording, outcome: Outcome, *, as_json: bool) -> str:
    if as_json:
        return json_text({"name": recording.name, "outcome": outcome.model_dump(mode="json")})
    usage = outcome.usage
    tokens = f"{usage.input}->{usage.output}" if usage else "-"
    calls = " ".join(f"{call.name}({call.arguments_raw})" for call in outcome.tool_calls)
    error = outcome.error and outcome.error.message
    content = repr(outcome.text or outcome.refusal or calls or error)
    return f"{recording.name}: {outcome.ending}, {outcome.finish}, tokens {tokens}, {content:.80}"
