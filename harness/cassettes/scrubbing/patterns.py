r"""What a secret looks like: a table of named patterns, each with its source and an example.

Rules of this file: the group ``s`` is the secret, what precedes it names its kind and is kept;
except for private keys a secret contains no character of ``BOUNDARY``, so a text that is still
arriving is decided up to the last of them; a text is searched for a pattern only if it contains one
of the pattern's hints.

Sources are the issuers' documents if they specify the format of their tokens, else the rules of
secret scanners: GitHub's partner patterns and the default rules of gitleaks.
"""

from __future__ import annotations

import re
from os.path import commonprefix
from typing import NamedTuple

# Where words end. Non-ASCII characters end one too: no issuer uses them in keys.
BOUNDARY = rb"\s\"'`<>{}()\[\],;|\x80-\xff"
_ALNUM, _URLSAFE = rb"[A-Za-z0-9]", rb"[A-Za-z0-9_-]"
# One character of a value; +, /, =, % and ~ may be escaped, once or in JSON inside JSON.
_VALUE = rb"(?:[^&\\" + BOUNDARY + rb"]|\\+/|\\+u00(?i:2b|2f|3d|25|7e))"
_AMPERSAND, _EQUALS = rb"(?:[?&#]|&amp;|\\+u0026|%26)", rb"(?:=|\\+u003d|%3D)"
# Not a placeholder, as documentation writes in place of a secret.
_NOT_A_PLACEHOLDER = rb"(?!(?i:your|my[-_]|example|placeholder|changeme|redacted|some[-_])|[$*%])"
_MIN_HINT = 3  # bytes; shorter hints are too common
_SPACE = rb"(?:\s|%20|\+)+"
_QUOTE = rb"(?:\\*[\"']|%22|%27|&quot;)"
_IS = rb"(?:\s|%20|\+)*(?:[:=]|%3A|%3D)(?:\s|%20|\+)*"

_GITHUB = (
    "https://docs.github.com/en/code-security/secret-scanning/introduction/"
    "supported-secret-scanning-patterns"
)
_LEAKS = "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml"
_AWS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


class Pattern(NamedTuple):
    """One kind of secret.

    Args:
        name: the kind of secret, in findings.
        hints: texts one of which every match contains; those in lower case match any case.
        regex: finds it in bytes; its group ``s`` is the secret.
        starts_word: whether it must begin at the start of a word.
        source: the source of the format.
        example: a made-up secret, which the tests find.
    """

    name: str
    hints: tuple[bytes, ...]
    regex: re.Pattern[bytes]
    starts_word: bool
    source: str
    example: str


def _token(name: str, prefixes: str, rest: bytes, source: str, example: str) -> Pattern:
    """Return the pattern of a token with one of several prefixes."""
    names = prefixes.split()
    starts = "|".join(map(re.escape, names)).encode()
    # If one prefix begins another, the longer must win (atomic group); otherwise (?: is faster.
    opening = b"(?>" if any(b != a and b.startswith(a) for a in names for b in names) else b"(?:"
    regex = re.compile(opening + starts + b")(?P<s>" + rest + b")")
    shared = commonprefix(names)  # noqa: RUF071 - not paths; a common prefix of characters is meant
    hints = tuple(word.encode() for word in ([shared] if len(shared) >= _MIN_HINT else names))
    return Pattern(name, hints, regex, True, source, example)  # noqa: FBT003 - a value's field


def _context(name: str, hints: str, regex: bytes, source: str, example: str) -> Pattern:
    """Return the pattern of a secret that only its context identifies."""
    found = tuple(hint.encode() for hint in hints.split())
    return Pattern(name, found, re.compile(regex), False, source, example)  # noqa: FBT003 - the same


_KEYS = (
    rb"(?i:api[\s_-]?key|(?:access|secret|account|signing|encryption|subscription|private|auth)"
    rb"[\s_-]?key(?:[_-]id)?|secret[_-]?access[_-]?key|(?:client|webhook)[\s_-]?secret"
    rb"|(?:access|refresh|id|auth|session|security|bearer|bot|api)[\s_-]?token"
    rb"|password|passwd|passphrase|connection[_-]?string)"
)
_PARAMETERS = (
    rb"(?i:key|api[_-]?key|access[_-]?key|(?:access_|refresh_|id_)?token|authorization"
    rb"|(?:client_)?secret|password|passwd|pwd|sig|signature|session|sessionid|jwt"
    rb"|X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-(?:Signature|Credential)"
    rb"|GoogleAccessId|AWSAccessKeyId|Key-Pair-Id|subscription-key)"
)
# The letters of an escape are not part of the word after it: masking them would break the text.
_WORD_START = rb"(?:\b|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
_ESCAPED = rb"(?:(?<=\\)(?:[nrtbf]|u[0-9A-Fa-f]{4}))?+"
_NOT_A_RESERVED_DOMAIN = rb"(?!example\.|[A-Za-z0-9.-]*\.(?:example|invalid|test)\b)"

PATTERNS = (
    _token("Anthropic key", "sk-ant-api03- sk-ant-admin01- sk-ant-oat01- sk-ant-",
           _URLSAFE + rb"{16,}", _GITHUB, "sk-ant-api03-Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA"),
    _token("OpenAI key", "sk-proj- sk-svcacct- sk-admin-", _URLSAFE + rb"{16,}", _GITHUB,
           "sk-proj-T3BlbkFJa1b2c3d4e5f6g7h8i9j0"),
    _token("OpenRouter key", "sk-or-v1-", _URLSAFE + rb"{16,}", _GITHUB,
           "sk-or-v1-0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"),
    _token("key that begins with sk- (DeepSeek, Moonshot, Langfuse and others)", "sk-lf- sk-",
           rb"(?!ant-|proj-|svcacct-|admin-|or-v1-|lf-)" + _URLSAFE + rb"{16,}", _LEAKS,
           "sk-0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"),
    _token("Google API key", "AIza", _URLSAFE + rb"{35}", _GITHUB,
           "AIzaSyD4f8Kq2Lm9Nx7Rt1Vw3Yz5Bc6Hj0PgUeA"),
    _token("Google access token", "ya29.", rb"[A-Za-z0-9._-]{16,}", _GITHUB,
           "ya29.a0AfH6SMBx7kQ2pLmN9rT4vWyZ"),
    _token("Google refresh token", "1//0", _URLSAFE + rb"{20,}", _GITHUB,
           "1//0gHx8Kq2Lm9Nx7Rt1Vw3Yz5Bc6"),
    _token("Google client secret", "GOCSPX-", _URLSAFE + rb"{20,}", _GITHUB,
           "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"),
    _token("AWS access key id", "AKIA ASIA ABIA ACCA", rb"[A-Z0-9]{16}(?![A-Za-z0-9])",
           f"{_AWS}reference_identifiers.html", "AKIAQ7ZT2VLK9WMX4HB8"),
    _token("Bedrock API key", "ABSK bedrock-api-key-", rb"[A-Za-z0-9+/=]{40,}",
           "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
           "ABSKQmVkcm9ja0FQSUtleS1hYmNkZWZnaGlqa2xtbm9wcXJz"),
    _token("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", _ALNUM + rb"{30,}", _GITHUB,
           "ghp_Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIi"),
    _token("GitHub fine-grained token", "github_pat_", rb"[A-Za-z0-9_]{22,}", _GITHUB,
           "github_pat_11ABCDEFG0aBcDeFgHiJkL_mNoPqRsT"),
    _token("GitLab token", "glpat- glrt- gldt- glcbt- glft- glsoat-", _URLSAFE + rb"{20,}",
           _LEAKS, "glpat-Zq7fT2vLk9WmX4hB8nRc"),
    _token("Slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-", rb"[A-Za-z0-9-]{10,}",
           "https://api.slack.com/authentication/token-types", "xoxb-123456789012-Zq7fT2vLk9"),
    _token("Stripe key", "sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_",
           _ALNUM + rb"{16,}", _GITHUB, "sk_live_Zq7fT2vLk9WmX4hB8nRcY1dJ"),
    _token("webhook secret", "whsec_", rb"[A-Za-z0-9+/=]{20,}",
           "https://platform.openai.com/docs/guides/webhooks",
           "whsec_Zq7fT2vLk9WmX4hB8nRcY1dJ6sPg"),
    _token("Hugging Face token", "hf_ api_org_", _ALNUM + rb"{30,}", _GITHUB,
           "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"),
    _token("Groq key", "gsk_", _ALNUM + rb"{30,}", _GITHUB,
           "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"),
    _token("xAI key", "xai-", _ALNUM + rb"{30,}", _GITHUB,
           "xai-Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIiKlMnOpQrStUv"),
    _token("Perplexity key", "pplx-", _ALNUM + rb"{30,}", _GITHUB,
           "pplx-Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIi"),
    _token("Replicate token", "r8_", _ALNUM + rb"{30,}", _GITHUB,
           "r8_Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIiK"),
    _token("Fireworks key", "fw_", _ALNUM + rb"{20,}", _LEAKS, "fw_3ZqfT2vLk9WmX4hB8nRcY1dJ"),
    _token("Databricks token", "dapi", rb"[0-9a-f]{32}", _GITHUB, "dapi" + "0a1b2c3d" * 4),
    _token("npm token", "npm_", _ALNUM + rb"{36}", _GITHUB,
           "npm_Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIi"),
    _token("PyPI token", "pypi-", _URLSAFE + rb"{50,}", _GITHUB,
           "pypi-AgEIcHlwaS5vcmc" + "Zq7fT2vL" * 5),
    _token("SendGrid key", "SG.", _URLSAFE + rb"{20,}\." + _URLSAFE + rb"{30,}", _GITHUB,
           "SG.Zq7fT2vLk9WmX4hB8nRcY1.dJ6sPgU3eA0oIiKlMnOpQrStUvWxYz0123456789ABC"),
    _token("Twilio key", "SK", rb"[0-9a-f]{32}(?![A-Za-z0-9])", _LEAKS,
           "SK" + "0a1b2c3d" * 4),
    _token("Linear key", "lin_api_", _ALNUM + rb"{30,}", _LEAKS,
           "lin_api_Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIi"),
    _token("Notion token", "ntn_ secret_", _ALNUM + rb"{40,}", _LEAKS,
           "ntn_Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIiKlMnOp"),
    _token("JSON web token", "eyJ",
           _URLSAFE + rb"{6,}\.eyJ" + _URLSAFE + rb"{6,}(?:\." + _URLSAFE + rb"*)?",
           "RFC 7519, 3.1",
           "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
    _token("organisation or project id", "org- proj_ wrkspc_ user-",
           rb"(?=[A-Za-z0-9]*[0-9])" + _ALNUM + rb"{16,}",
           "https://platform.openai.com/docs/api-reference/authentication",
           "org-Zq7fT2vLk9WmX4hB8nRcY1dJ"),
    _context("Telegram bot token", ":AA",
             _WORD_START + rb"[0-9]{8,10}:(?P<s>AA" + _URLSAFE + rb"{33})", _LEAKS,
             "123456789:AAZq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0"),
    _context("Slack webhook", "hooks.slack.com/services/",
             rb"hooks\.slack\.com/services/(?P<s>[A-Za-z0-9/]{20,})", _LEAKS,
             "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/Zq7fT2vLk9WmX4hB"),
    _context("AWS signature", "signature=", rb"Signature=(?P<s>[0-9a-f]{64})",
             f"{_AWS}create-signed-request.html", "Signature=" + "0a1b2c3d" * 8),
    _context("bearer token", "bearer",
             _WORD_START + rb"(?i:bearer)" + _SPACE + rb"(?P<s>[A-Za-z0-9._~+/-]{12,}=*)",
             "RFC 6750, 2.1", "Authorization: Bearer 7f3a9c1e5b8d2f4a6c0e"),
    _context("basic credentials", "basic",
             _WORD_START + rb"(?i:basic)" + _SPACE
             + rb"(?P<s>(?=[A-Za-z+/]*[0-9=])[A-Za-z0-9+/]{12,}=*)",
             "RFC 7617, 2", "Authorization: Basic dXNlcjpodW50ZXIyMg=="),
    _context("password in a URL", "://",
             rb"://[^/\s:@\"'\\]*:(?P<s>[^/@\\" + BOUNDARY + rb"]+)@", "RFC 3986, 3.2.1",
             "postgresql://app:hunter22@db.internal/x"),
    _context("query parameter", "key token secret pass pwd sig session jwt auth credential access",
             _AMPERSAND + _PARAMETERS + _EQUALS + rb"(?P<s>" + _VALUE + rb"{6,})",
             "https://docs.cloud.google.com/storage/docs/authentication/signatures",
             "https://a.example/v1beta/models?alt=sse&key=Zq7fT2vLk9Wm"),
    _context("storage account key", "accountkey= sharedaccess",
             rb"(?i:AccountKey|SharedAccess(?:Key|Signature))=(?P<s>[A-Za-z0-9+/=%]{20,})",
             "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
             "AccountKey=Zq7fT2vLk9WmX4hB8nRcY1dJ6sPgU3eA0oIiKlMn=="),
    _context("value of a name, in quotes", "key token secret pass connection",
             _KEYS + _QUOTE + _IS + _QUOTE + rb"(?P<s>" + _NOT_A_PLACEHOLDER + _VALUE + rb"{8,})",
             f"{_LEAKS} (generic-api-key)", '{"client_secret": "Zq7fT2vLk9Wm"}'),
    _context("value of a name", "key token secret pass connection",
             _KEYS + rb"(?:" + _IS + rb"|\s+is\s+)" + _QUOTE + rb"?(?P<s>" + _NOT_A_PLACEHOLDER
             + rb"(?=[^0-9\\" + BOUNDARY + rb"]*[0-9])" + _VALUE + rb"{8,})",
             f"{_LEAKS} (generic-api-key)", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPx9"),
    _context("Google Cloud project", "projects/",
             _WORD_START + rb"projects/(?P<s>[a-z0-9][a-z0-9.:-]{3,})/"
             rb"(?:locations|global|secrets|serviceAccounts)\b",
             "https://docs.cloud.google.com/resource-manager/docs/creating-managing-projects",
             "https://x.example/v1/projects/acme-prod-4711/locations/us-central1"),
    _context("e-mail address", "@",
             rb"(?<![A-Za-z0-9._%+-])" + _ESCAPED + rb"(?!git@)(?P<s>[A-Za-z0-9._%+-]{1,64}@"
             + _NOT_A_RESERVED_DOMAIN
             + rb"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})(?![A-Za-z0-9])",
             "RFC 5322, 3.4.1; RFC 2606 names the reserved domains",
             "jane.doe@acme-corp.com"),
)  # fmt: skip

PRIVATE_KEY_BEGINS = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
PRIVATE_KEY_ENDS = re.compile(rb"-----END")

# What may precede a word: a character that is not part of one, or an escape in nested text.
_BEFORE = re.compile(rb"(?:^|[^A-Za-z0-9_-]|\\[nrtbf]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})\Z")
_MAX_ESCAPE = 6


def starts_word(text: bytes, offset: int) -> bool:
    """Return whether a word begins at an offset of a text."""
    return _BEFORE.search(text[max(0, offset - _MAX_ESCAPE) : offset]) is not None
