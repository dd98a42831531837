"""The YAML of a text: readable, and read back character for character by every YAML 1.1 reader.

Rules of this file: a text of whole lines stands as lines (a literal block); any other stands in
double quotes, broken behind its line ends, with an escape for every character that a reader would
fold, refuse or take for a line end. Written by hand because the libraries' writers escape whole
bodies for one emoji and fold the lines of others.
"""

from __future__ import annotations

import base64
import json
import re

# What one line of a literal block may hold: printable, and no line end but LF (YAML 1.1, 4.1 and
# 4.2: NEL, LS and PS end lines there, U+FEFF is a mark).
_CLEAN = r"\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_LITERAL = re.compile(rf"(?!\s)[{_CLEAN}]+(?:\n[{_CLEAN}]*)*")
_UNCLEAN = re.compile(rf"[^{_CLEAN}]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CHOMPING = ("-", "", "+")  # line ends at the end of a block: none, one, more
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NO_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_BASE64_BYTES = 57  # of one line: 76 characters, as MIME has it


def word(text: str) -> str:
    """Return a text for a place of one line: bare where that reads as a text, else quoted."""
    bare = _WORD.fullmatch(text) and text.lower() not in _NO_WORDS
    return text if bare else f'"{_escaped(text)}"'


def body(content: bytes, indent: str) -> str:
    """Return bytes as text where they are UTF-8, and as ``!!binary`` otherwise.

    Args:
        content: the bytes.
        indent: what stands before each further line, deeper than the key's own.
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
    """Break behind each line end; a reader skips the space that a line begins with."""
    lines = [_escaped(line) for line in _LINE.findall(text)]
    lines[1:] = [rf"\x20{line[1:]}" if line[0] == " " else line for line in lines[1:]]
    return '"' + f"\\\n{indent}".join(lines) + '"'


def _escaped(text: str) -> str:
    """Escape as JSON does, whose escapes are YAML's too, and what only YAML would take amiss."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1]
    return _UNCLEAN.sub(lambda found: f"\\u{ord(found[0]):04x}", inner)
