"""Our interfaces with the oldest supported SDKs: other classes, another HTTP library."""

from __future__ import annotations

import pytest

from harness.engine.results import ScenarioResult
from harness.engine.run import Settings, run
from harness.engine.selection import select_scenarios
from harness.scenarios import scenario_root
from harness.targets.resolving import check

OLDEST = "openai==1.66.0,anthropic==0.40.0,google-genai==1.20.0"
BASELINE = [
    f"{protocol}/baseline"
    for protocol in ("openai_chat", "openai_responses", "anthropic_messages", "gemini_generate")
]


@pytest.mark.usefixtures("package_index", "own_cache")
def test_the_baseline_passes_with_the_oldest_sdks() -> None:
    target = check(f"env:{OLDEST}!builtin")
    scenarios, errors = select_scenarios(scenario_root(), BASELINE)
    finished = [
        event
        for event in run(scenarios, Settings((target,), 30.0), errors)
        if isinstance(event, ScenarioResult)
    ]
    assert len(finished) == len(scenarios) > 6
    failed = {event.scenario.id: event.outcome for event in finished if event.failed}
    assert failed == {}
