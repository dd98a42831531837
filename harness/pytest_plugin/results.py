"""What the fixtures return: results whose ``assert_passes`` fails the test without a traceback."""

from __future__ import annotations

import pytest

from harness.engine.results import ScenarioResult, describe
from harness.fuzzing.decorator import FuzzResult


class Conformance(ScenarioResult):
    """The result of one scenario on one target."""

    def assert_passes(self) -> None:
        """Fail the test unless every requirement and invariant holds."""
        __tracebackhide__ = True
        if self.failed:
            pytest.fail("\n\n".join(map(describe, self.failures)), pytrace=False)

    def snapshot_text(self) -> str:
        """Return the outcome as the text of a snapshot."""
        from harness.reports.snapshot import snapshot_text

        return snapshot_text(self.outcome)


class PropertyResult(FuzzResult):
    """The result of one property on one target."""

    def assert_passes(self) -> None:
        """Fail the test if the property is violated, with the minimal streams that violate it."""
        __tracebackhide__ = True
        report = self.report()
        if report:
            pytest.fail(report, pytrace=False)
