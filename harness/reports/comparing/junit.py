"""A comparison as JUnit XML: a case a stream, failed where law is broken that held before."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.comparing.events import Compared, Ended, Unusable
from harness.reports.files import json_text, write_whole
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
        self._end: Ended | None = None

    def handle(self, happening: CompareEvent) -> None:
        """Take one happening."""
        if isinstance(happening, Unusable):
            self._unusable.append(str(happening.error))
        elif isinstance(happening, Ended):
            self._end = happening

    def close(self) -> None:
        """Write the file."""
        root = ET.Element("testsuites", name="harness compare")
        if self._end is not None:
            root.append(_suite(self._end, self._unusable))
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode", xml_declaration=True)
        write_whole(self._path, f"{text}\n")


def _suite(end: Ended, unusable: list[str]) -> ET.Element:
    words = [change.cure for change in end.unclassified]
    broken = [one for one in end.compared if _broken(one)]
    suite = ET.Element(
        "testsuite",
        name=clean(f"{end.began.target}: {' | '.join(end.began.sides.values())}"),
        tests=str(len(end.compared) + len(unusable) + len(words)),
        failures=str(len(broken) + len(words)),
        errors=str(len(unusable)),
        time=f"{end.seconds:.3f}",
    )
    suite.extend(_case(one) for one in end.compared)
    suite.extend(_problem("a side or file", "error", words) for words in unusable)
    suite.extend(_problem("vocabulary", "failure", cure) for cure in words)
    return suite


def _broken(compared: Compared) -> list[Change]:
    return [one for one in compared.moved if one.meaning == "law broken"]


def _case(compared: Compared) -> ET.Element:
    folder, _, name = compared.stream.name.rpartition("/")
    case = ET.Element("testcase", classname=clean(folder.replace("/", ".")), name=clean(name))
    for one in _broken(compared):
        failure = ET.SubElement(case, "failure", message=clean(f"{one.layer}: {one.shape}"))
        failure.text = clean(f"A: {json_text(one.before)}\nB: {json_text(one.after)}")
    return case


def _problem(name: str, kind: str, words: str) -> ET.Element:
    case = ET.Element("testcase", classname="harness compare", name=name)
    ET.SubElement(case, kind, message=clean(words))
    return case


REPORT = JunitReport
