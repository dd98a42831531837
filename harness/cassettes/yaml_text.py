"""Text as YAML: readable, and read back character for character by every YAML 1.1 reader.

Rules of this file: a text of printable lines is written as a literal block; any other in double
quotes, broken after its line ends, with an escape for every character that a reader would fold,
refuse or treat as a line end. The libraries' writers are not used, because they escape whole bodies
for one emoji and fold lines.
"""

from __future__ import annotations

import base64
import json
import re

# What a line of a literal block may contain: printable characters, and no line end but LF (YAML
# 1.1, 4.1 and 4.2: NEL, LS and PS are line ends, U+FEFF is a byte order mark).
_CLEAN = r"\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_LITERAL = re.compile(rf"(?!\s)[{_CLEAN}]+(?:\n[{_CLEAN}]*)*")
_UNCLEAN = re.compile(rf"[^{_CLEAN}]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CHOMPING = ("-", "", "+")  # line ends at the end of a block: none, one, more
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOT_STRINGS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_BASE64_BYTES = 57  # per line: 76 characters, as in MIME


def scalar(text: str) -> str:
    """Return a text as a one-line scalar: plain if that is read as a string, else quoted."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_STRINGS
    return text if plain else f'"{_escaped(text)}"'


def block(content: bytes, indent: str) -> str:
    """Return bytes as text if they are UTF-8, else as ``!!binary``.

    Args:
        content: the bytes.
        indent: the indentation of each further line, deeper than that of the key.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return _binary(content, indent)
    return _literal(text, indent) if _LITERAL.fullmatch(text) else _quoted(text, indent)


def _binary(content: bytes, indent: str) -> str:
    starts = range(0, len(content), _BASE64_BYTES)
    lines = (base64.b64encode(content[at : at + _BASE64_BYTES]).decode() for at in starts)
    return "\n".join(["!!binary |", *(f"{indent}{line}" for line in lines)])


def _literal(text: str, indent: str) -> str:
    ends = len(text) - len(text.rstrip("\n"))
    lines = text.removesuffix("\n").split("\n")
    block = "\n".join(f"{indent}{line}" if line else "" for line in lines)
    return f"|{_CHOMPING[min(ends, 2)]}\n{block}"


def _quoted(text: str, indent: str) -> str:
    """Break after each line end; escape a leading space, which a reader would skip."""
    lines = [_escaped(line) for line in _LINE.findall(text)]
    lines[1:] = [rf"\x20{line[1:]}" if line[0] == " " else line for line in lines[1:]]
    return '"' + f"\\\n{indent}".join(lines) + '"'


def _escaped(text: str) -> str:
    """Escape like JSON, whose escapes YAML shares, and what only YAML does not allow."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1]
    return _UNCLEAN.sub(lambda found: f"\\u{ord(found[0]):04x}", inner)
