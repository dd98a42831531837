"""The files of a campaign: one scenario per failure, an index, and one file of pytest cases.

::

    OUT/<protocol>/fuzz/<property>_<digest>.yaml   the scenario; `harness run ID --scenarios OUT`
    OUT/found.jsonl                                which target violates which property by it
    OUT/test_fuzz_found.py                         `pytest OUT --harness-scenarios OUT`

Rules of this file: each file is written atomically, so an interrupted campaign leaves complete
files; a scenario holds what was sent and what the property requires.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from harness.atomic_file import write_atomically
from harness.model import Event
from harness.protocols import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.fuzzing.failure import Failure
    from harness.model import JSON

INDEX, TESTS = "found.jsonl", "test_fuzz_found.py"


def write_failure(failure: Failure, out: Path) -> Path:
    """Write a failure's scenario, and add it to the index and the pytest cases.

    Args:
        failure: what a campaign found.
        out: the folder that campaigns write to.
    """
    path = out / f"{failure.id}.yaml"
    _write(path, scenario_text(failure, str(out)))
    entry = {
        "scenario": failure.id,
        "target": failure.target,
        "property": failure.property_name,
        "why": failure.why,
        "reproduce": failure.reproduce(str(out)),
    }
    others = [known for known in read_index(out) if known["scenario"] != failure.id]
    _write_index(out, [*others, entry])
    return path


def read_index(out: Path) -> list[dict[str, JSON]]:
    """Return the index of a folder, one entry per scenario."""
    path = out / INDEX
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _write_index(out: Path, entries: Sequence[Mapping[str, JSON]]) -> None:
    lines = (json.dumps(entry, ensure_ascii=False) for entry in entries)
    _write(out / INDEX, "".join(f"{line}\n" for line in lines))
    _write(out / TESTS, "".join(_tests(entries)))


def _tests(entries: Sequence[Mapping[str, JSON]]) -> Iterator[str]:
    yield '"""Failures that `harness fuzz` found: pytest FOLDER --harness-scenarios FOLDER."""\n\n'
    yield "import pytest\n"
    for entry in entries:
        name = re.sub(r"\W+", "_", entry["scenario"])
        yield f"\n\n@pytest.mark.scenarios({entry['scenario']!r}, target={entry['target']!r})\n"
        yield f"def test_{name}(conformance):\n    conformance.assert_passes()\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, [text.encode()])


def scenario_text(failure: Failure, out: str) -> str:
    """Return a failure as the text of a scenario file.

    Args:
        failure: what a campaign found.
        out: the folder of the file, for the command that reproduces the failure.
    """
    return "".join(
        (
            f"# Written by `harness fuzz`. Reproduce: {failure.reproduce(out)}\n",
            f"title: {yaml_text(f'{failure.sentence} ({failure.property_name})')}\n",
            f"protocol: {failure.protocol}\n",
            "origin: synthesized\n",
            f"order: {_order(failure)}\n",
            *((f"case: {', '.join(failure.sources)}\n",) if failure.sources else ()),
            f"why: {yaml_text(f'{failure.target} violated the property: {failure.why}')}\n",
            f"spec:\n  - url: {failure.documentation}\n    says: {yaml_text(failure.sentence)}\n",
            *_transport(failure),
            "stream:\n" if failure.items else "stream: []\n",
            *(f"  - {_entry(item)}\n" for item in failure.items),
            *_must(failure),
        )
    )


def _transport(failure: Failure) -> Iterator[str]:
    if failure.cut != "event":
        yield f"transport: {{cut: {yaml_text(failure.cut)}}}\n"


def _must(failure: Failure) -> Iterator[str]:
    """Yield the requirements; an invariant needs none, but a scenario needs at least one."""
    yield "must:\n"
    if not failure.expected:
        yield f"  ending: {{$any: true}}  # the invariant {failure.property_name} is what fails\n"
    for key, value in failure.expected.items():
        yield f"  {key}: {yaml_text(value)}\n"


def _order(failure: Failure) -> str:
    events = [item for item in failure.items if isinstance(item, Event)]
    found = [v for v in protocol(failure.protocol).violations(events) if v.event >= 0]
    if any(v.severity == "violation" for v in found):
        return "illegal"
    return "open" if found else "legal"


def _entry(item: Event | bytes) -> str:
    if isinstance(item, bytes):
        try:
            return f"raw: {yaml_text(item.decode())}"
        except UnicodeDecodeError:
            return f"base64: {yaml_text(base64.b64encode(item).decode())}"
    named = {} if item.name is None else {"name": item.name}
    return f"event: {yaml_text({**named, 'data': item.data})}"


# What YAML does not accept unescaped, or reads as the end of a line.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yaml_text(value: JSON) -> str:
    """Return a JSON value as YAML 1.1 in flow style, which reads back as the same value."""
    if isinstance(value, dict):
        pairs = (f"{yaml_text(str(key))}: {yaml_text(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(yaml_text, value))}]"
    if isinstance(value, float):
        text = repr(value)  # YAML reads a float without a dot as a text
        return text if "." in text else re.sub("e|$", r".0\g<0>", text, count=1)
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
