"""Two hundred secrets in every part of an exchange: none reaches the disk."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cassettes import save
from harness.cassettes.cassette import Cassette, Interaction, Request, Response
from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.scrubbing import body as scrubbing_body
from harness.cassettes.scrubbing.headers import HEADERS, rule_of
from harness.cassettes.scrubbing.masking import masked, secrets_of
from harness.cassettes.scrubbing.patterns import PATTERNS
from tests.cassettes.scrubbing.made_up_secrets import (
    ENCODERS,
    Secret,
    fragments,
    is_masked,
    joined,
    secrets,
    seeded,
)

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cassettes.scrubbing.patterns import Pattern

PLANTED = tuple(secrets(5))
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7f3a9c1e5b8d\nq2w3e4r5t6y7u8i9o0\n"
    "-----END RSA PRIVATE KEY-----\n"
)


def scrubber() -> Scrubber:
    return Scrubber(("env-value-Zq7fT2vLk9",))


def scrub(body: bytes, size: int | None = None) -> bytes:
    scrubbing = scrubber().body()
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    return b"".join([*map(scrubbing.feed, pieces), scrubbing.close()])


def test_there_are_enough_secrets_of_enough_kinds() -> None:
    assert len(PLANTED) >= 200
    assert len({secret.kind for secret in PLANTED}) >= 30


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_each_pattern_finds_its_example_and_has_a_source(pattern: Pattern) -> None:
    assert pattern.source
    found = scrubber()
    scrubbed = found.text(f"before {pattern.example} after")
    assert found.found, scrubbed
    assert len(scrubbed) == len(f"before {pattern.example} after")
    assert found.text(scrubbed) == scrubbed
    assert any(
        hint in (pattern.example.lower() if hint == hint.lower() else pattern.example).encode()
        for hint in pattern.hints
    )


@pytest.mark.parametrize("rule", HEADERS, ids=lambda rule: rule.name)
def test_each_header_is_masked(rule: object) -> None:
    assert rule in HEADERS
    for known in HEADERS:
        name, value = known.example
        assert rule_of(name) is known
        [(kept, scrubbed)] = scrubber().headers(((name, value),))
        assert (kept, len(scrubbed)) == (name, len(value))
        assert "7f3a" not in scrubbed
        assert "17.25" not in scrubbed


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Authorization", "Bearer 7f3a", "Bearer XXXX"),
        ("authorization", "Basic dXNlcg==", "Basic XXXXXX=="),
        ("Authorization", "7f3a9c", "XXXXXX"),
        ("api-key", "7f3a", "XXXX"),
        ("Ocp-Apim-Subscription-Key", "7f3a", "XXXX"),
        ("x-amz-security-token", "7f3a", "XXXX"),
        ("cookie", "a=7f3a; b=9c", "a=XXXX; b=XX"),
        ("set-cookie", "a=7f3a; path=/; expires=Mon", "a=XXXX; path=/; expires=Mon"),
        ("anthropic-organization-id", "7f3a-9c", "XXXX-XX"),
    ],
)
def test_a_header_keeps_the_word_for_the_kind_of_secret(name: str, value: str, kept: str) -> None:
    assert scrubber().headers(((name, value),)) == ((name, kept),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", "text/event-stream"),
        ("x-ratelimit-remaining-tokens", "29999"),
        ("anthropic-ratelimit-input-tokens-limit", "50000"),
        ("www-authenticate", 'Bearer realm="api"'),
        ("x-request-id", "req_011CQabcdefgh"),
        ("user-agent", "OpenAI/Python 3.52.0"),
        ("x-stainless-runtime-version", "3.11.7"),
        ("access-control-allow-headers", "Authorization, X-Api-Key"),
        ("cf-ray", "8c1e5b8d2f4a6c0e-FRA"),
        ("alt-svc", 'h3=":443"; ma=86400'),
    ],
)
def test_a_clean_header_is_unchanged(name: str, value: str) -> None:
    assert scrubber().headers(((name, value),)) == ((name, value),)


INNOCENT = (
    "The token usage was 1,234 of max_tokens=4096.",
    '{"token": "Hello", "logprob": -0.1, "bytes": [72]}',
    '{"max_completion_tokens": 12345678, "tokens": "abcdefgh12"}',
    '{"type": "object", "properties": {"password": {"type": "string"}, "api_key": {}}}',
    "sort(key=lambda pair: pair[1]); d.get(key='longer_than_8')",
    "git@github.com is not an address; @decorator, user@example.com, me@mail.test",
    "https://example.com/search?q=keyboard&monkey=1&page=2#section-12345",
    "chatcmpl-9f8e7d6c5b4a39281706 resp_68a1b2c3d4e5f60718293a4b msg_011CQabcdefgh",
    "call_Zq7fT2vLk9WmX4hB8nRcY1dJ toolu_01A09q90qw90lq917835lq9 fp_44709d6fcb",
    "risk-averse task-oriented desk-sk-etch ask-me-anything-about-this-long-word-now",
    "The password is required. Your API key is stored safely. secret is out",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d and 550e8400-e29b-41d4-a716-446655440000",
    '{"api_key": "your-api-key-here", "password": "changeme-please"}',
    "basic understanding of internationalization, bearer of responsibilities",
    "Basic arithmetic/geometry: AKIA is a prefix, eyJ begins base64, sk-short",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "密码是什么 Schlüssel für die Tür 🙂",
    "projects/ is a folder; https://a.example/v1/projects",
    "org-mode user-agent user-defined-function proj_root",
    "https://user@host.example/path:with@at",
)


@pytest.mark.parametrize("text", INNOCENT)
def test_clean_text_is_unchanged(text: str) -> None:
    assert scrubber().text(text) == text
    document = json.dumps({"content": text, "nested": json.dumps({"a": text})}).encode()
    assert scrub(document) == document
    for encode in ENCODERS.values():
        body = encode(fragments(text, seeded(1)))
        assert scrub(body) == body


@pytest.mark.parametrize("name", ENCODERS)
def test_no_secret_survives_in_fragments(name: str) -> None:
    rng = seeded(name)
    for secret in PLANTED[list(ENCODERS).index(name) % 3 :: 3]:
        for text in (f"It is {secret.text} now", json.dumps({"a": {"b": secret.text}})):
            body = ENCODERS[name](fragments(text, rng))
            kept = scrub(body, rng.choice((None, 1, 5, 64)))
            scrubbed = joined(kept)
            assert len(kept) == len(body)
            assert secret.value not in scrubbed, secret.kind
            assert is_masked(secret.value) in scrubbed, secret.kind
            assert scrub(kept) == kept


def exchange(secret: Secret) -> Interaction:
    inner = json.dumps({"deeper": json.dumps({"note": f"use {secret.text} here"})})
    asked = {"messages": [{"role": "user", "content": f"Look: {secret.text}"}], "tool": inner}
    answer = {"choices": [{"message": {"content": secret.text, "arguments": inner}}]}
    headers = (("x-note", f"see {secret.text}"), ("authorization", f"Bearer {secret.text}"))
    request = Request("POST", f"https://a.example/v1?x={secret.text}&alt=sse", headers,
                      json.dumps(asked).encode())  # fmt: skip
    return Interaction(request, Response(200, "OK", headers, json.dumps(answer, indent=1).encode()))


def test_no_planted_secret_reaches_the_disk(tmp_path: Path) -> None:
    rng = seeded(7)
    interactions = [exchange(secret) for secret in PLANTED]
    for secret in PLANTED:
        body = ENCODERS["chat arguments"](fragments(json.dumps({"k": secret.text}), rng))
        interactions.append(Interaction(interactions[0].request, Response(body=body)))
    found = scrubber()
    path = tmp_path / "a.yaml"
    save(found.cassette(Cassette(tuple(interactions))), path)
    written = path.read_bytes()
    leaked = [secret for secret in PLANTED if secret.value.encode() in written]
    assert leaked == []
    assert sum(found.found.values()) > 5 * len(PLANTED)


def test_a_private_key_is_masked_line_by_line() -> None:
    for text in (KEY, f"before {KEY} after"):
        document = json.dumps({"content": text, "inner": json.dumps({"key": text})}).encode()
        kept = scrub(document)
        assert json.loads(kept)
        assert b"MIIE" not in kept
        assert b"q2w3" not in kept
        assert kept.count(b"-----END RSA PRIVATE KEY-----") == 2
        for name, encode in ENCODERS.items():
            scrubbed = joined(scrub(encode(fragments(text, seeded(3)))))
            assert "MIIE" not in scrubbed, name
            assert "q2w3" not in scrubbed, name
    assert scrub(KEY[:70].encode()).endswith(b"XXXXX")
    assert scrub(KEY.encode(), 3).count(b"\n") == KEY.count("\n")


def test_escapes_do_not_hide_a_secret() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLE99=="  # noqa: S105 - made up
    for text in (
        json.dumps({"aws_secret_access_key": secret}).replace("/", r"\/"),
        json.dumps({"note": json.dumps({"secret_access_key": secret})}).replace("/", r"\/"),
        json.dumps({"aws_secret_access_key": secret}).replace("=", r"\u003d"),
        r'{"url": "https:\/\/a\/b?alt=sse\u0026key\u003d' + secret.replace("/", "%2F") + '"}',
    ):
        kept = scrub(text.encode())
        assert json.loads(kept)
        assert b"JalrXU" not in kept
        assert b"MDENG" not in kept
        assert b"EXAMPLE99" not in kept
    unicode = "".join(f"\\u{ord(letter):04x}" for letter in "sk-proj-0123456789abcdef")
    assert b"u0030" not in scrub(f'{{"text": "{unicode}"}}'.encode())
    assert b"u0030" not in scrub(f'{{"id": "{unicode}"}}'.encode())
    line = json.dumps({"a": json.dumps({"b": "line\nsk-proj-0123456789abcdef"})})
    assert b"0123456789" not in scrub(line.encode())


def test_values_of_the_environment_are_secrets_everywhere() -> None:
    value = "env-value-Zq7fT2vLk9"
    assert value not in scrubber().text(f"https://a/{value}/b")
    for encode in ENCODERS.values():
        scrubbed = joined(scrub(encode(fragments(f"so {value} is", seeded(2)))))
        assert value not in scrubbed
        assert "so XXX-XXXXX-XXXXXXXXXX is" in scrubbed


def test_a_secret_in_a_header_is_masked_everywhere() -> None:
    for name, value in (
        ("api-key", "0a1b2c3d4e5f6071"),
        ("Authorization", "Bearer 0a1b2c3d4e5f6071"),
    ):
        found = scrubber()
        scrubbed = found.interaction(
            Interaction(
                Request("POST", "https://a/0a1b2c3d4e5f6071/x", ((name, value),)),
                Response(401, body=b'{"error":"wrong key 0a1b2c3d4e5f6071, not-needed"}'),
            )
        )
        assert scrubbed.request.uri == "https://a/XXXXXXXXXXXXXXXX/x"
        assert scrubbed.response.body == b'{"error":"wrong key XXXXXXXXXXXXXXXX, not-needed"}'
    placeholder = scrubber()
    placeholder.headers((("api-key", "not-needed"), ("x-api-key", "lm-studio-without-a-key")))
    assert (
        placeholder.text("not-needed, lm-studio-without-a-key")
        == "not-needed, lm-studio-without-a-key"
    )


def test_which_values_of_the_environment_look_like_keys() -> None:
    environment = {
        "OPENAI_API_KEY": "k-12345678",
        "DB_PASSWORD": "correct-horse",
        "GITHUB_TOKEN": "short",
        "KEYBOARD": "querty-12345",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key-1.json",
        "SSH_KEY": "~/.ssh/id_ed25519",
        "SERVICE": "Zq7fT2vLk9WmX4hB8nRcY1dJ6sPg",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "COMMIT": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d",
    }
    assert secrets_of(environment) == (
        "k-12345678", "correct-horse", "Zq7fT2vLk9WmX4hB8nRcY1dJ6sPg",
    )  # fmt: skip


def test_frames_are_returned_as_soon_as_they_are_decided() -> None:
    scrubbing = scrubber().body()
    first = b'data: {"delta":"Hello "}\n\n'
    assert scrubbing.feed(first) == first
    held = b'data: {"delta":"sk-proj-0123"}\n\n'
    assert scrubbing.feed(held) == b""
    rest = b'data: {"delta":"456789abcdefgh and "}\n\n'
    scrubbed = scrubbing.feed(rest)
    assert len(scrubbed) == len(held + rest)
    assert b"0123" not in scrubbed
    assert b"456789" not in scrubbed
    assert scrubbing.close() == b""


def test_memory_does_not_grow_with_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing_body, "MAX_HELD", 2000)
    monkeypatch.setattr(scrubbing_body, "MAX_BLOCK", 5000)
    scrubbing = scrubber().body()
    scrubbing.feed(b'data: {"a":"undecided"}\n\n')
    behind = 0
    for _ in range(1000):
        behind += 40 - len(
            scrubbing.feed(b'data: {"b":"words of another text "}'.ljust(38) + b"\n\n")
        )
        assert behind < 2100
    for document in (b'{"a":"' + b"word " * 20_000, b"x" * 100_000, b"data: " + b"y" * 100_000):
        scrubbing = scrubber().body()
        pieces = [document[at : at + 500] for at in range(0, len(document), 500)]
        kept, most = 0, 0
        for count, piece in enumerate(pieces, 1):
            kept += len(scrubbing.feed(piece))
            most = max(most, count * 500 - kept)
        assert most < 12_000
        assert kept + len(scrubbing.close()) == len(document)


def test_a_secret_is_found_in_a_document_too_large_to_parse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scrubbing_body, "MAX_BLOCK", 5000)
    for secret in PLANTED[::5]:
        body = b'{"a":"' + b"word " * 1999 + secret.text.encode() + b" word" * 1999 + b'"}'
        kept = scrub(body, 100)
        assert secret.value.encode() not in kept
        assert len(kept) == len(body)


def test_a_secret_longer_than_the_word_limit_is_masked_to_its_end() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJ" + "Zq7f" * 5000 + ".c2ln"
    for size in (None, 100):
        kept = scrub(b"data: say " + token.encode() + b" so\n\n", size)
        assert b"Zq7f" not in kept
        assert kept.endswith(b".XXXX so\n\n")
    body = ENCODERS["chat content"]([token[at : at + 99] for at in range(0, len(token), 99)])
    assert b"q7fZ" not in scrub(body)


WORDS = st.sampled_from(
    [*(secret.text for secret in PLANTED), *INNOCENT, " ", "\\n", "é", '"', "key="]
)


@settings(deadline=None, max_examples=25)
@given(st.lists(WORDS, max_size=6).map("".join), st.sampled_from(sorted(ENCODERS)), st.randoms())
def test_where_reads_end_does_not_matter(text: str, name: str, rng: Any) -> None:
    body = ENCODERS[name](fragments(text, rng))
    whole = scrub(body)
    assert len(whole) == len(body)
    assert scrub(whole) == whole
    for size in (1, 7, 100):
        assert scrub(body, size) == whole


def test_binary_bodies_are_returned() -> None:
    body = bytes(range(256)) * 50
    assert len(scrub(body, 7)) == len(body)
    assert masked(b"\xff\x00a") == b"XXX"
    assert base64.b64encode(scrub(b"")) == b""
