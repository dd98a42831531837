"""Reports: listeners that write the events of a run, or of a comparison, each in its own format.

A report has ``handle(event)`` and ``close()``. To add one, write a module that names its class
``REPORT`` (here for runs, in ``comparing/`` for comparisons) and add its name to ``KINDS``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from harness.reports.files import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Feature: TypeAlias = Literal["run", "compare"]
Event_contra = TypeVar("Event_contra", contravariant=True)

KINDS: Mapping[Feature, tuple[str, ...]] = {
    "run": ("terminal", "jsonl", "junit", "html", "github"),
    "compare": ("terminal", "jsonl", "junit", "html", "github"),
}
_PACKAGES: dict[Feature, str] = {"run": "harness.reports", "compare": "harness.reports.comparing"}


class Report(Protocol[Event_contra]):
    """One listener: of ``RunEvent``, or of ``CompareEvent``."""

    def handle(self, event: Event_contra) -> None:
        """Take the next event."""

    def close(self) -> None:
        """Write what is not written yet."""


def make_report(spec: str, feature: Feature = "run", *, verbose: bool = False) -> Report[object]:
    """Return the report for ``kind`` or ``kind=path``; no path, or ``-``, is standard output.

    Args:
        spec: what the user asked for, e.g. ``junit=report.xml``.
        feature: whose events it will receive.
        verbose: show every failure in full; only the terminal report shortens.

    Raises:
        UnknownWordError: no report has that kind.
        InputError: the file cannot be written.
    """
    kind, path = place_of(spec, KINDS[feature])
    report_class = import_module(f"{_PACKAGES[feature]}.{kind}").REPORT
    options = {"verbose": verbose} if kind == "terminal" else {}
    report: Report[object] = report_class(path, **options)
    return report
