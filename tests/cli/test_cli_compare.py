"""``harness compare``: exit codes, what a person reads, and what other programs do."""

from __future__ import annotations

from typing import Any

from tests.stories import ID

LIES = "python:cli_targets:lies"


def test_a_broken_law_is_1_and_the_page_names_it_with_its_command(harness: Any) -> None:
    said = harness("compare", "hello", "builtin", LIES)
    assert said.code == 1
    assert "LAW BROKEN: it held under A and does not under B" in said.out
    assert "chunks   1 stream: law text: pass -> fail" in said.out
    assert f"again    harness compare {ID} builtin {LIES} --target builtin" in said.out
    assert "B breaks law in 1 stream that A told rightly" in said.out


def test_what_moved_is_one_json_line_a_group_and_a_summary(harness: Any) -> None:
    said = harness("compare", "hello", LIES, "builtin", "--json")
    assert said.code == 0
    *groups, last = said.lines()
    assert {"verdict", "layer", "shape", "streams", "before", "after", "reproduce"} <= set(
        groups[0]
    )
    assert {group["verdict"] for group in groups} >= {"improved", "photograph changed"}
    assert last["summary"]["sides"] == {"A": LIES, "B": "builtin"}
    assert last["summary"]["compared"] == 1


def test_a_side_that_cannot_be_used_is_2_and_named(harness: Any) -> None:
    said = harness("compare", "hello", "python:cli_targets:nobody", LIES)
    assert said.code == 2
    assert "has no attribute 'nobody'" in said.err
    assert f"nothing is compared: of both sides {LIES} could be used" in said.out
    assert f"law broken on it: {ID}: text" in said.out


def test_two_sides_are_needed(harness: Any) -> None:
    said = harness("compare", "openai==3.52.0")
    assert said.code == 2
    assert "name two sides" in said.err


def test_a_selector_that_names_nothing_is_2(harness: Any) -> None:
    said = harness("compare", "hullo", "builtin", LIES)
    assert said.code == 2
    assert "did you mean 'hello'?" in said.err


def test_prune_says_what_it_removed(harness: Any, monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "llm-stream-harness" / "environments"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "big").write_bytes(b"x" * 3_000_000)
    said = harness("compare", "--prune")
    assert (said.code, said.out) == (0, f"removed 1 environments (3 MB) from {folder}\n")
    assert list(folder.iterdir()) == []
