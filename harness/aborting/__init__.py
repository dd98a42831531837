"""Consumers that abort: a stream, and the whole stack above it, aborted at every point.

``sweep`` is what a run calls for each scenario whose ``consumer`` aborts. It aborts the stream on
its way to the consumer (stream_sweep.py, consumer_probe.py, abort_invariants.py) and, where the
scenario says ``full_stack``, a whole run through adapter and service (full_stack/,
run_invariants.py). Rule of this file: nothing of it is imported before a scenario aborts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine.scenario_runner import SweepInput
    from harness.model import Finding


def sweep(given: SweepInput) -> Iterator[Finding]:
    """Yield the findings on a target whose consumer aborts: one for each invariant.

    Args:
        given: a scenario run whose ``consumer`` aborts, and how to replay scripts to its target.
    """
    from harness.aborting.stream_sweep import sweep_stream
    from harness.targets.addresses import replies_once
    from harness.targets.resolving import layers_of

    if replies_once(given.target):
        sentence = "a consumer may abort at every point"
        reason = "the target gives one reply for each stream"
        yield given.run.finding("consumer", "open", sentence, reason)
        return
    yield from sweep_stream(given)
    layers = layers_of(given.target) if given.run.scenario.consumer.full_stack else None
    if layers is not None:
        from harness.aborting.full_stack.sweep import sweep_stack

        yield from sweep_stack(given.run, layers)
