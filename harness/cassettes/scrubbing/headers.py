"""Headers whose values are secret because of their name, and those that identify an account.

Rule of this file: the word that names the kind of a secret (``Bearer``, a cookie's name) is not
masked; headers that this table does not name are searched like any other text.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class HeaderRule(NamedTuple):
    """Headers of one kind.

    Args:
        name: the kind of secret, in findings.
        names: matches their names, in lower case.
        value: finds the secret in their values, as the group ``s``.
        source: the source of the rule.
        example: a header that is masked.
        is_learned: whether the value is then a secret everywhere.
    """

    name: str
    names: re.Pattern[str]
    value: re.Pattern[bytes]
    source: str
    example: tuple[str, str]
    is_learned: bool


_ALL = rb"(?P<s>.+)"


def _rule(
    name: str,
    names: str,
    source: str,
    example: tuple[str, str],
    value: bytes = _ALL,
    *,
    is_learned: bool = False,
) -> HeaderRule:
    compiled = re.compile(value, re.DOTALL)
    return HeaderRule(name, re.compile(names), compiled, source, example, is_learned)


HEADERS = (
    _rule(
        "credentials",
        r"(?:proxy-)?authorization",
        "RFC 9110, 11.6.2",
        ("Authorization", "Bearer 7f3a9c"),
        rb"^\s*(?i:(?:bearer|basic|digest|apikey|key|token|negotiate|aws4-hmac-sha256)\s+)?(?P<s>.+)",
        is_learned=True,
    ),
    _rule(
        "cookie sent", "cookie", "RFC 6265, 4.2", ("Cookie", "a=7f3a; b=9c1e"), rb"=(?P<s>[^;]*)"
    ),
    _rule(
        "cookie set",
        "set-cookie2?",
        "RFC 6265, 4.1",
        ("Set-Cookie", "__cf_bm=7f3a9c; path=/; HttpOnly"),
        rb"^[^=;]*=(?P<s>[^;]*)",
    ),
    _rule(
        "account",
        r"(?:openai|anthropic)-(?:organization|project)(?:-id)?|x-goog-user-project"
        r"|x-ms-client-principal(?:-.+)?|x-amz(?:n)?-account.*",
        "https://platform.openai.com/docs/api-reference/authentication",
        ("openai-organization", "acme-corp-7f3a"),
    ),
    _rule(
        "named like a key",
        r"(?:.*[-_])?(?:api|x)?(?:key|token|secret|auth|credentials?|session|signature|password|apikey"
        r"|jwt)(?:[-_]?id)?",
        "x-api-key, api-key, x-goog-api-key, ocp-apim-subscription-key, x-amz-security-token …",
        ("X-Goog-Api-Key", "7f3a9c1e"),
        is_learned=True,
    ),
    _rule(
        "set by a gateway",
        r"(?:x-)?litellm-.*|llm_provider-.*|x-portkey-.*|helicone-.*|cf-aig-.*",
        "gateways send hashes of keys, spending and the addresses of upstreams",
        ("x-litellm-key-spend", "17.25"),
    ),
)  # fmt: skip


def rule_of(header: str) -> HeaderRule | None:
    """Return the rule for a header's name, None if its value is ordinary text."""
    name = header.lower()
    return next((rule for rule in HEADERS if rule.names.fullmatch(name)), None)
