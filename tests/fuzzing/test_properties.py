"""Every property finds its broken target within 500 examples, and shrinks and reproduces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.evaluation import ScenarioRun
from harness.engine.replayer import Replayer
from harness.engine.results import FAILING
from harness.engine.scenario_runner import ScenarioRunner
from harness.fuzzing.campaign import Campaign
from harness.fuzzing.files import write_failure
from harness.fuzzing.properties import PROPERTIES, select_properties
from harness.fuzzing.settings import Settings
from harness.scenarios import load
from tests.fuzzing.broken_targets import BROKEN_TARGETS, Breaking, BrokenTarget

if TYPE_CHECKING:
    from pathlib import Path

    from harness.fuzzing.failure import Failure
    from harness.model import Outcome
    from harness.wire.script import Script

EXAMPLES, SEEDS = 500, range(3)


def first_failure(settings: Settings) -> Failure | None:
    return next((failure for failure in Campaign(settings).run() if failure is not None), None)


def failing_checks(found: Failure, target: object, out: Path) -> list[str]:
    """Run the scenario that is written, as `harness run` does; return the checks that fail."""
    write_failure(found, out)
    with Replayer(10.0, in_memory=True) as replayer:
        run = ScenarioRun(load(out / f"{found.id}.yaml", out), found.target)
        findings = ScenarioRunner(replayer).run(run, target).findings
    return [finding.check for finding in findings if finding.verdict in FAILING]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("broken", BROKEN_TARGETS, ids=[b.change.__name__ for b in BROKEN_TARGETS])
def test_a_property_finds_its_broken_target_and_shrinks_and_reproduces_it(
    broken: Breaking, seed: int, tmp_path: Path
) -> None:
    found = first_failure(
        Settings(
            target=BrokenTarget(broken.change),
            protocols=(broken.protocol,),
            properties=select_properties([broken.property_name]),
            examples=EXAMPLES,
            seed=seed,
            in_memory=True,
        )
    )
    assert found is not None
    assert found.property_name == broken.property_name
    assert len(found.items) <= broken.events, found.items
    assert failing_checks(found, BrokenTarget(broken.change), tmp_path)
    assert not failing_checks(found, "builtin", tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_synchronous_client_is_compared_with_the_asynchronous_one(
    seed: int, tmp_path: Path
) -> None:
    def drops_usage(outcome: Outcome, _: Script) -> Outcome:
        return outcome.model_copy(update={"usage": None})

    settings = Settings(
        protocols=("openai_chat",),
        properties=select_properties(["sync_matches_async"]),
        examples=EXAMPLES,
        seed=seed,
        in_memory=True,
        variants={"sync": BrokenTarget(drops_usage)},
    )
    found = first_failure(settings)
    assert found is not None
    assert found.target == "drops_usage"
    assert len(found.items) <= 4
    assert failing_checks(found, BrokenTarget(drops_usage), tmp_path)
    assert not failing_checks(found, "builtin-sync", tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_is_compared_with_the_non_streaming_response(seed: int, tmp_path: Path) -> None:
    def loses_the_last_delta(outcome: Outcome, _: Script) -> Outcome:
        """pai#7911: what was streamed last is not in the final message."""
        texts = [n for n, part in enumerate(outcome.content) if part.kind == "text"]
        content = tuple(part for n, part in enumerate(outcome.content) if n not in texts[-1:])
        return outcome.model_copy(update={"content": content})

    settings = Settings(
        target=BrokenTarget(loses_the_last_delta),
        protocols=("anthropic_messages",),
        properties=select_properties(["matches_nonstreaming"]),
        examples=EXAMPLES,
        seed=seed,
        in_memory=True,
        variants={"nonstreaming": "sdk-nonstreaming"},
    )
    found = first_failure(settings)
    assert found is not None
    assert (found.property_name, found.target) == ("matches_nonstreaming", "loses_the_last_delta")
    assert set(found.expected) == {"text"}
    assert len(found.items) <= 6
    assert failing_checks(found, BrokenTarget(loses_the_last_delta), tmp_path)
    assert not failing_checks(found, "builtin", tmp_path)


def test_every_property_has_its_broken_target() -> None:
    of_variants = {"sync_matches_async", "matches_nonstreaming"}
    found = {broken.property_name for broken in BROKEN_TARGETS}
    assert {one.name for one in PROPERTIES} == found | of_variants
