"""The version matrix as text and as JSON."""

from __future__ import annotations

from harness.comparing.classification import Change
from harness.comparing.events import Group
from harness.comparing.version_bisect import FirstSeen, VersionMatrix
from harness.reports.comparing.matrix import finding_data, matrix

CHANGE = Change("requirement violated", "wire", "text: pass -> fail", "text", "Hello", None)
GROUP = Group(CHANGE, ["openai_chat/baseline/text"])
KEY = ("requirement violated", "wire", "text: pass -> fail")
END = VersionMatrix(
    "builtin",
    ("openai==2.0.0", "openai==2.1.0", "openai==2.2.0"),
    ("openai==2.0.0", "openai==2.1.0", "openai==2.2.0"),
    (FirstSeen(GROUP, "openai==2.2.0", "openai==2.1.0"),),
    {
        "openai==2.0.0": frozenset(),
        "openai==2.1.0": frozenset(),
        "openai==2.2.0": frozenset({KEY}),
    },
    streams=9,
    seconds=1.5,
)


def test_a_finding_shows_its_first_version_where_it_is_seen_and_its_command() -> None:
    text = "\n".join(line.text for line in matrix(END, "harness compare {} --target builtin"))
    assert text == (
        "builtin, 9 streams, 3 versions\n"
        "  replayed: 2.0.0, 2.1.0, 2.2.0\n"
        "  each is compared with openai==2.0.0\n"
        "\n"
        "first in       layer    what\n"
        "2.2.0     ..x  wire     requirement violated, 1 stream: text: pass -> fail\n"
        "          example  openai_chat/baseline/text\n"
        '            2.1.0    "Hello"\n'
        "            2.2.0    null\n"
        "          reproduce harness compare openai_chat/baseline/text openai==2.1.0 openai==2.2.0"
        " --target builtin\n"
        "\n"
        "replayed 3 versions in 1.5 s"
    )


def test_a_finding_is_one_json_object() -> None:
    data = finding_data(END.findings[0])
    assert (data["first"], data["before"]) == ("openai==2.2.0", "openai==2.1.0")
    assert data["verdict"] == "requirement violated"
