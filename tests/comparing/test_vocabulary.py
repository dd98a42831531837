"""Vocabularies before and after an upgrade: added, removed, renamed, and who knows the word."""

from __future__ import annotations

from harness.comparing.vocabulary import word_changes

OLD = {
    "openai_responses": {
        "event": frozenset({"response.created", "response.code_interpreter_call.code.delta"}),
        "status": frozenset({"completed", "queued"}),
    },
    "anthropic_messages": {"event": frozenset({"ping"})},
}
NEW = {
    "openai_responses": {
        "event": frozenset({"response.created", "response.code_interpreter_call_code.delta"}),
        "status": frozenset({"completed", "levitating"}),
    },
    "openai_chat": {"finish": frozenset({"stop"})},
}


def test_each_change_is_reported_once_and_a_rename_is_one_change() -> None:
    changes = [(change.how, change.row.word, change.was) for change in word_changes(OLD, NEW, {})]
    new, old = "response.code_interpreter_call_code.delta", list(OLD["openai_responses"]["event"])
    assert changes == [
        ("renamed", new, next(word for word in old if "code" in word)),
        ("added", "levitating", None),
        ("removed", "queued", None),
    ]


def test_a_protocol_without_an_sdk_on_one_side_is_not_compared() -> None:
    assert {change.row.protocol for change in word_changes(OLD, NEW, {})} == {"openai_responses"}
    assert word_changes(OLD, OLD, {}) == []


def test_only_what_is_new_and_in_no_table_is_unclassified() -> None:
    [unclassified] = [change for change in word_changes(OLD, NEW, {}) if change.unclassified]
    assert unclassified.row.word == "levitating"
    assert 'add to unmodelled "status": {"levitating": "the reason' in unclassified.cure


def test_scenarios_that_use_a_word_are_counted() -> None:
    used = {"openai_responses": {"status": {"levitating": 3}}}
    counts = {change.row.word: change.row.scenarios for change in word_changes(OLD, NEW, used)}
    assert counts["levitating"] == 3
