"""A self-contained HTML page: the style is inline, and there is no script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .2rem .8rem; text-align: left }
td.count { text-align: right; font-variant-numeric: tabular-nums }
tr:nth-child(even) { background: #8881 }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { overflow-x: auto; padding: .6rem;
background: #8881 }
details { margin: .4rem 0 } summary { cursor: pointer }
.good { color: #18794e } .bad { color: #cd2b31 } .new { color: #ad5700 } .dim { color: #888 }
@media (prefers-color-scheme: dark) { body { background: #151515; color: #ddd }
.good { color: #4cc38a } .bad { color: #ff6369 } .new { color: #ffb224 } }
"""


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole page; ``body`` are pieces of HTML."""
    pieces = "\n".join(body)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f"<h1>{escape(title)}</h1>\n{pieces}\n</html>\n"
    )


def tag(name: str, text: str, kind: str = "") -> str:
    """Return an element that holds a text, of a class of the style."""
    shown = f' class="{kind}"' if kind else ""
    return f"<{name}{shown}>{escape(text)}</{name}>"


def folded(heading: str, text: str, kind: str = "") -> str:
    """Return a text as it stands, folded under a heading."""
    return f"<details>{tag('summary', heading, kind)}{tag('pre', text)}</details>"
