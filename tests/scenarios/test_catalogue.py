"""The catalogue is readable as data: every entry of the page, with its sentences and links."""

from __future__ import annotations

import re
from pathlib import Path

from harness.scenarios.catalogue import case

PAGE = Path(__file__).parent.parent.parent / "docs" / "catalogue.md"


def test_every_entry_of_the_page_is_a_case() -> None:
    ids = re.findall(r"^### ([A-Z]{2}-\d{3})$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(ids) == 198
    for case_id in ids:
        found = case(case_id)
        assert found is not None, case_id
        assert found.sent.endswith((".", ")", "`")), case_id
        assert found.expected, case_id
        assert "\n" not in found.sent + found.expected


def test_an_entry_has_its_page_and_its_evidence() -> None:
    found = case("OR-002")
    assert found is not None
    assert found.page == "docs/catalogue.md#or-002"
    assert found.sent.startswith("Text deltas, then `response.incomplete`")
    assert "https://github.com/pydantic/pydantic-ai/issues/7911" in found.evidence


def test_an_unknown_id_is_none() -> None:
    assert case("no such id") is None
