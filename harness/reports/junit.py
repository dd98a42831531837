"""JUnit XML, as CI systems read it: a suite a target, a case a scenario.

https://github.com/testmoapp/junitxml (the dialect CI systems agree on)
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.reports.files import write_whole
from harness.runner.happenings import RED, Judged

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import Finding
    from harness.runner.happenings import Happening


class JunitReport:
    """Collects cases and writes the document when the run is over.

    Args:
        path: the file, or None for standard output.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._judged: dict[str, list[Judged]] = defaultdict(list)

    def hear(self, happening: Happening) -> None:
        """Take one happening."""
        if isinstance(happening, Judged):
            self._judged[happening.target].append(happening)

    def close(self) -> None:
        """Write the file."""
        root = ET.Element("testsuites", name="harness")
        for target, cases in self._judged.items():
            root.append(_suite(target, cases))
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode", xml_declaration=True)
        write_whole(self._path, f"{text}\n")


def _suite(target: str, cases: list[Judged]) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=target,
        tests=str(len(cases)),
        failures=str(sum(case.broken for case in cases)),
        errors="0",
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    suite.extend(_case(case) for case in cases)
    return suite


def _case(judged: Judged) -> ET.Element:
    folder, _, name = judged.scenario.id.rpartition("/")
    case = ET.Element(
        "testcase",
        classname=f"{judged.target}.{folder.replace('/', '.')}",
        name=name,
        time=f"{judged.seconds:.3f}",
    )
    for finding in judged.findings:
        if finding.verdict in RED:
            failure = ET.SubElement(case, "failure", message=f"{finding.check} does not hold")
            failure.text = clean(describe(finding))
    return case


def describe(finding: Finding) -> str:
    """Return a finding as four plain lines."""
    return "\n".join(
        (
            f"{finding.scenario}:{finding.check} ({finding.verdict})",
            f"expected: {json.dumps(finding.expected, ensure_ascii=False)}",
            f"actual:   {json.dumps(finding.actual, ensure_ascii=False)}",
            f"again:    {finding.reproduce}",
        )
    )


def clean(text: str) -> str:
    """Replace what XML 1.0 cannot hold: control characters and lone surrogates."""
    return "".join(
        sign if sign in "\t\n" or (sign >= " " and not "\ud800" <= sign <= "\udfff") else "\ufffd"
        for sign in text
    )


REPORT = JunitReport
