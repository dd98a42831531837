"""``harness replay``: recorded bodies into a target, an outcome each."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from harness.engine.executor import TargetResult
from harness.engine.replayer import Replayer, TargetRequest
from harness.errors import InputError
from harness.playback.recordings import LeftOut, Recording, recordings
from harness.protocols import names
from harness.protocols import protocol as protocol_named
from harness.reports.files import json_text
from harness.targets.addresses import replies_once
from harness.targets.resolving import check
from harness.wire import cutting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from harness.model import Outcome

_EVERY = "every"


def main(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    check(arguments.target)
    if arguments.protocol is not None:
        protocol_named(arguments.protocol)
    if arguments.cut != _EVERY:
        cutting.check(arguments.cut)
    counts: Counter[str] = Counter()
    in_memory = not replies_once(arguments.target)  # a process of its own needs a socket
    with Replayer(arguments.timeout, in_memory=in_memory) as player:
        for found in recordings(arguments.paths, arguments.protocol):
            counts[_one(player, found, arguments)] += 1
    sys.stderr.write(", ".join(f"{n} {word}" for word, n in sorted(counts.items())) + "\n")
    return 1 if counts[_BROKEN] else 2 if counts[_BAD] else 0


_BROKEN, _BAD = "target at fault", "bad input"


def _one(
    player: Replayer, found: Recording | LeftOut | InputError, arguments: argparse.Namespace
) -> str:
    """Replay one recording, print its line, and return the word it is counted under."""
    if isinstance(found, LeftOut):
        return f"left out (no protocol of {', '.join(names())})"
    try:
        if isinstance(found, InputError):
            raise found
        played = _play(player, arguments, found)
    except InputError as error:
        sys.stderr.write(f"harness: {error}\n")
        return _BAD
    if played.complaint:
        sys.stderr.write(f"harness: {found.name}: {arguments.target} {played.complaint}\n")
    sys.stdout.write(f"{_line(found, played.outcome, as_json=arguments.json)}\n")
    return _BROKEN if played.complaint else "replayed"


def _line(recording: Recording, outcome: Outcome, *, as_json: bool) -> str:
    if as_json:
        data = {"name": recording.name, "outcome": outcome.model_dump(mode="json")}
        return json_text(data)
    usage = outcome.usage
    tokens = f"{usage.input}->{usage.output}" if usage else "-"
    calls = " ".join(f"{call.name}({call.arguments_raw})" for call in outcome.tool_calls)
    said = repr(
        outcome.text or outcome.refusal or calls or (outcome.error and outcome.error.message)
    )
    return f"{recording.name}: {outcome.ending}, {outcome.finish}, tokens {tokens}, {said:.80}"


def _play(player: Replayer, arguments: argparse.Namespace, recording: Recording) -> TargetResult:
    """Replay a recording under one cut plan, or under each offset in turn.

    A cut that changes the outcome is the target's fault and named in the complaint.
    """
    ask = TargetRequest(recording.protocol, protocol_named(recording.protocol).request)
    plans = _plans(recording, arguments.cut)
    script = recording.script(next(plans), arguments.pace)
    played = player.play(arguments.target, ask, script)
    for plan in plans:
        other = player.play(arguments.target, ask, script._replace(cut=plan))
        if played.complaint is None and other != played:
            return TargetResult(other.outcome, f"changes its outcome under --cut {plan}")
    return played


def _plans(recording: Recording, cut: str) -> Iterator[str]:
    if cut != _EVERY:
        return iter((cut,))
    offsets: Iterable[str] = cutting.every_offset(len(recording.script().body))
    return iter(("whole", *offsets))
