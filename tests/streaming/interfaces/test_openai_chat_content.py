"""Reasoning, lists of parts, audio and unusual chunks: catalogue OC-010 to OC-048."""

from __future__ import annotations

from typing import Any

from tests.streaming.interfaces.driving_openai_chat import (
    END,
    drive,
)

# Reasoning, lists, audio


def detail(**fields: Any) -> dict[str, Any]:
    return {"delta": {"reasoning_details": [fields]}}


def test_reasoning_in_two_fields_counts_once() -> None:
    twice = {"reasoning": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}
    assert drive("role", {"delta": twice}, *END).outcome.reasoning == "Hm"
    assert drive("role", detail(summary="Hm"), detail(), *END).outcome.reasoning == "Hm"


def test_a_signature_ends_its_part_and_encrypted_data_is_a_part() -> None:
    content = drive(
        "role",
        detail(text="a"),
        detail(signature="s1"),
        detail(text="b"),
        detail(data="blob"),
        detail(text="c"),
        *END,
    ).outcome.content
    assert [part.model_dump(exclude={"kind"}) for part in content] == [
        {"text": "a", "signature": "s1"},
        {"text": "b", "signature": None},
        {"data": "blob"},
        {"text": "c", "signature": None},
    ]


def test_a_signature_alone_is_kept() -> None:
    [part] = drive("role", detail(signature="s1"), *END).outcome.content
    assert part.model_dump() == {"kind": "reasoning", "text": "", "signature": "s1"}


def test_oc046_content_as_a_list_of_parts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "thinking", "thinking": "m."},
        {"type": "text", "text": "Hi"},
        "!",
        {"type": "reference", "reference_ids": [1]},
    ]
    outcome = drive("role", {"delta": {"content": parts}}, *END).outcome
    assert (outcome.reasoning, outcome.text) == ("Hmm.", "Hi!")
    assert "unknown_part: reference" in outcome.notes


def test_audio_is_text_and_media() -> None:
    got = drive(
        "role",
        {"delta": {"audio": {"id": "audio_1", "transcript": "Hel"}}},
        {"delta": {"audio": {"data": "AAA="}}},
        {"delta": {"audio": {"transcript": "lo", "data": "AQE="}}},
        {"delta": {"audio": {"data": "no base64"}}},
        {"delta": {"audio": {"expires_at": 1}}},
        "done",
    )
    assert got.outcome.text == "Hello"
    assert [part.kind for part in got.outcome.content] == ["text", "media"]
    assert got.outcome.content[1].model_dump()["data"] == "AAABAQ=="
    assert "audio_unreadable" in got.outcome.notes


# Unusual chunks


def test_oc010_and_oc011_azures_filter_chunks_have_no_content() -> None:
    first = {"chunk": {"id": "", "model": "", "object": "", "prompt_filter_results": [{}]}}
    verdict = {"index": 0, "content_filter_results": {}, "finish_reason": None}
    absent, null = (
        {"chunk": {"choices": [verdict]}},
        {"chunk": {"choices": [{**verdict, "delta": None}]}},
    )
    got = drive(first, "role", absent, {"content": "a"}, {"finish": "stop"}, null, "done")
    outcome = got.outcome
    assert (outcome.text, outcome.finish, outcome.response_id) == ("a", "stop", "chatcmpl-1")
    assert outcome.model == "gpt-5-mini"


def test_oc015_an_empty_finish_reason_is_ignored() -> None:
    outcome = drive(
        "role", {"finish": {"reason": "", "delta": {"role": "assistant", "content": "a"}}}
    ).outcome
    assert (outcome.text, outcome.finish, outcome.finish_raw) == ("a", "unknown", None)
    assert outcome.ending == "truncated"


def test_oc048_the_first_choice_seen_is_the_answer() -> None:
    def of(index: int, text: str) -> dict[str, Any]:
        choice = {"index": index, "delta": {"content": text}, "finish_reason": None}
        return {"chunk": {"choices": [choice]}}

    outcome = drive(
        of(1, "a"), of(0, "x"), of(1, "b"), {"finish": {"reason": "stop", "choice": 1}}
    ).outcome
    assert (outcome.text, outcome.finish) == ("ab", "stop")
    assert "other_choice: 0" in outcome.notes


def test_an_unknown_event_is_noted_and_the_stream_goes_on() -> None:
    odd = (
        {"event": {"data": "null"}},
        {"event": {"data": "[]"}},
        {"event": {"data": {"type": "news"}}},
    )
    ping = {"event": {"name": "ping", "data": {"type": "ping"}}}
    got = drive(ping, *odd, "role", {"content": "a"}, *END)
    assert got.outcome.text == "a"
    assert sorted(got.interface.diagnostics.unknown) == [
        "event: NoneType",
        "event: list",
        "event: news",
    ]


def test_wrong_types_are_noted_and_the_stream_goes_on() -> None:
    wrong = (
        {
            "delta": {
                "content": {"a": 1},
                "refusal": 7,
                "tool_calls": "call",
                "function_call": "call",
            }
        },
        {
            "delta": {
                "tool_calls": [
                    "call",
                    {"index": "0", "id": 7, "function": {"name": 7, "arguments": 7}},
                ]
            }
        },
        {"delta": {"reasoning": {"text": "a"}, "reasoning_details": "a", "mood": "good"}},
        {"chunk": {"choices": ["choice", {"delta": "delta"}], "usage": []}},
    )
    outcome = drive("role", *wrong, *END).outcome
    assert (outcome.content, outcome.finish) == ((), "stop")
    assert {"unknown_text: dict", "unknown_reasoning: dict", "unknown_delta: mood"} <= set(
        outcome.notes
    )


def test_known_vendor_fields_are_not_noted() -> None:
    outcome = drive(
        "role", {"delta": {"content": "a", "channel": "final", "token_id": 7, "mood": ""}}, *END
    ).outcome
    assert [note for note in outcome.notes if note.startswith("unknown")] == []
