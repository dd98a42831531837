"""JUnit XML, as CI systems read it: one suite per target, one case per scenario.

A file that could not be used is an error of a suite of its own.

https://github.com/testmoapp/junitxml (the dialect CI systems agree on)
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.engine.events import BadInput
from harness.engine.results import FAILING, ScenarioResult, describe
from harness.reports.files import write_report

# https://www.w3.org/TR/xml/#charsets
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine.events import RunEvent


class JunitReport:
    """Collects cases and writes the document when the run is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._results: dict[str, list[ScenarioResult]] = defaultdict(list)
        self._bad: list[BadInput] = []

    def handle(self, event: RunEvent) -> None:
        """Take the next event."""
        if isinstance(event, ScenarioResult):
            self._results[event.target].append(event)
        elif isinstance(event, BadInput):
            self._bad.append(event)

    def close(self) -> None:
        """Write the file."""
        root = ET.Element("testsuites", name="harness")
        if self._bad:
            root.append(_bad_suite(self._bad))
        for target, cases in self._results.items():
            root.append(_suite(target, cases))
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode", xml_declaration=True)
        write_report(self._path, f"{text}\n")


def _bad_suite(bad: list[BadInput]) -> ET.Element:
    count = str(len(bad))
    suite = ET.Element("testsuite", name="bad input", tests=count, failures="0", errors=count)
    for each in bad:
        name = clean(str(each.error.path))
        case = ET.SubElement(suite, "testcase", classname="bad input", name=name)
        ET.SubElement(case, "error", message=clean(str(each.error)))
    return suite


def _suite(target: str, cases: list[ScenarioResult]) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=clean(target),
        tests=str(len(cases)),
        failures=str(sum(case.failed for case in cases)),
        errors="0",
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    suite.extend(_case(case) for case in cases)
    return suite


def _case(result: ScenarioResult) -> ET.Element:
    folder, _, name = result.scenario.id.rpartition("/")
    case = ET.Element(
        "testcase",
        classname=clean(f"{result.target}.{folder.replace('/', '.')}"),
        name=clean(name),
        time=f"{result.seconds:.3f}",
    )
    for finding in result.findings:
        if finding.verdict in FAILING:
            failure = ET.SubElement(case, "failure", message=f"{finding.check} failed")
            failure.text = clean(describe(finding))
    return case


def clean(text: str) -> str:
    """Replace what XML cannot hold: control characters, lone surrogates, noncharacters."""
    return _NO_XML.sub("\ufffd", text)


REPORT = JunitReport
