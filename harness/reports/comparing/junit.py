"""A comparison as JUnit XML: one case per stream, failed where B newly violates a requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.comparing.events import ComparisonFinished, StreamCompared, UnusableInput
from harness.reports.files import json_text, write_report
from harness.reports.junit import clean

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparing.classification import Change
    from harness.comparing.events import CompareEvent


class JunitReport:
    """Collects cases and writes the document when the comparison is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._unusable: list[str] = []
        self._end: ComparisonFinished | None = None

    def handle(self, event: CompareEvent) -> None:
        """Take the next event."""
        if isinstance(event, UnusableInput):
            self._unusable.append(str(event.error))
        elif isinstance(event, ComparisonFinished):
            self._end = event

    def close(self) -> None:
        """Write the file."""
        root = ET.Element("testsuites", name="harness compare")
        if self._end is not None:
            root.append(_suite(self._end, self._unusable))
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode", xml_declaration=True)
        write_report(self._path, f"{text}\n")


def _suite(end: ComparisonFinished, unusable: list[str]) -> ET.Element:
    edits = [change.cure for change in end.unclassified]
    violated = [one for one in end.compared if _broken(one)]
    suite = ET.Element(
        "testsuite",
        name=clean(f"{end.start.target}: {' | '.join(end.start.sides.values())}"),
        tests=str(len(end.compared) + len(unusable) + len(edits)),
        failures=str(len(violated) + len(edits)),
        errors=str(len(unusable)),
        time=f"{end.seconds:.3f}",
    )
    suite.extend(_case(one) for one in end.compared)
    suite.extend(_problem("a side or file", "error", message) for message in unusable)
    suite.extend(_problem("vocabulary", "failure", cure) for cure in edits)
    return suite


def _broken(compared: StreamCompared) -> list[Change]:
    return [one for one in compared.changes if one.category == "requirement violated"]


def _case(compared: StreamCompared) -> ET.Element:
    folder, _, name = compared.stream.name.rpartition("/")
    case = ET.Element("testcase", classname=clean(folder.replace("/", ".")), name=clean(name))
    for one in _broken(compared):
        failure = ET.SubElement(case, "failure", message=clean(f"{one.layer}: {one.shape}"))
        failure.text = clean(f"A: {json_text(one.before)}\nB: {json_text(one.after)}")
    return case


def _problem(name: str, kind: str, message: str) -> ET.Element:
    case = ET.Element("testcase", classname="harness compare", name=name)
    ET.SubElement(case, kind, message=clean(message))
    return case


REPORT = JunitReport
