"""How tables are evaluated, on three small ones: a document with pages, and pages with lines."""

from __future__ import annotations

import random

import pytest

from harness.protocols.grammar import Grammar, Machine, Open, Position, Step

DOCUMENT = Machine(
    "document",
    {
        "not started": {"open": "running", "at_once": "ended"},
        "running": {"close": "ended", "drop": Open("ended", "not documented")},
        "ended": {"postscript": Open("ended", "some servers send one")},
    },
    may_end_in=frozenset({"ended"}),
)
PAGE = Machine(
    "page",
    {
        "absent": {"page": "written"},
        "written": {"ink": "written", "turn": "turned"},
        "turned": {},
    },
    key=("page",),
    parent="document",
    inside=frozenset({"running"}),
    numbered=True,
)
LINE = Machine(
    "line",
    {"absent": {"line": "begun"}, "begun": {"stroke": "begun", "end": "done"}, "done": {}},
    key=("page", "line"),
    parent="page",
    inside=frozenset({"written"}),
)
GRAMMAR = Grammar(
    (DOCUMENT, PAGE, LINE),
    waits_for={
        "turn": {"line": frozenset({"done"})},
        "page": {"page": frozenset({"turned"})},
        "close": {"page": frozenset({"turned"}), "line": frozenset({"done"})},
    },
    anywhere=frozenset({"ping"}),
)
LEGAL = "open page[0] line[0,0] stroke[0,0] ping end[0,0] turn[0] page[1] turn[1] close"


def steps(text: str) -> list[tuple[Step]]:
    return [(_step(word),) for word in text.split()]


def _step(word: str) -> Step:
    label, _, key = word.rstrip("]").partition("[")
    return Step(label, tuple(map(int, key.split(","))) if key else ())


def sentences(text: str) -> list[str]:
    return [violation.sentence for violation in GRAMMAR.violations(steps(text))]


def test_a_legal_stream_has_no_violation() -> None:
    assert sentences(LEGAL) == []


def test_a_step_is_printed_as_label_and_key() -> None:
    assert [str(step) for (step,) in steps("open line[0,2]")] == ["open", "line[0,2]"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("at_once close", "event 1 close: document is 'ended'; legal here: postscript"),
        ("at_once unknown", "event 1 unknown: this event is in no table"),
        ("at_once page[0]", "event 1 page[0]: document is 'ended'"),
        ("open page[1] turn[1] close", "event 1 page[1]: index 1 is new, the next page is 0"),
        ("open page[0] turn[0] ink[0] turn[0] close", "event 3 ink[0]: page is 'turned'"),
        ("open page[0] line[0,0] turn[0] close", "event 3 turn[0]: waits for line[0,0], which is"),
        ("open page[0] page[1] turn[0] turn[1] close", "event 2 page[1]: waits for page[0], which"),
        ("open close open", "event 2 open: document is 'ended'"),
    ],
)
def test_an_illegal_event_is_reported_with_the_legal_ones(text: str, says: str) -> None:
    assert sentences(text)[0].startswith(says)


def test_a_missing_end_is_a_violation_of_the_stream() -> None:
    [found] = GRAMMAR.violations(steps("open"))
    assert (found.event, found.severity) == (-1, "violation")
    assert found.sentence == (
        "the stream ended while document is 'running'; no terminal event was sent"
    )


def test_an_open_move_is_reported_with_its_reason() -> None:
    found = GRAMMAR.violations(steps("open drop postscript"))
    assert [(one.event, one.severity) for one in found] == [(1, "open"), (2, "open")]
    assert found[0].sentence == "event 1 drop: not documented"
    assert DOCUMENT.final == {"ended"}


def test_an_illegal_event_is_reported_once() -> None:
    assert len(sentences("open line[0,0] stroke[0,0] end[0,0] close")) == 3  # its page is absent
    assert len(sentences("close")) == 1


def test_hints_begin_with_the_same_instance_and_are_limited() -> None:
    wide = Machine("wide", {"a": {f"l{n}": "b" for n in range(9)}, "b": {"z": "b"}})
    [found, _] = Grammar((wide,)).violations([(Step("z"),)])
    assert found.sentence == "event 0 z: wide is 'a'; legal here: l0, l1, l2, l3, l4, l5, …"
    nothing = Grammar((Machine("shut", {"a": {}, "b": {"z": "b"}}),))
    assert nothing.violations([(Step("z"),)])[0].sentence.endswith("legal here: nothing")


def test_several_steps_of_one_event_share_its_number() -> None:
    found = GRAMMAR.violations([(Step("open"), Step("open"), Step("unknown"))])
    assert [one.event for one in found] == [0, 0, -1]


def test_keys_of_any_shape_raise_nothing() -> None:
    rng = random.Random(1)  # noqa: S311 - the same streams every time
    labels = sorted(GRAMMAR.labels | {"unknown"})
    for _ in range(200):
        stream = [
            (Step(rng.choice(labels), tuple(rng.choices((-1, 0, 1, 7), k=rng.randint(1, 2)))),)
            for _ in range(12)
        ]
        assert all(one.sentence for one in GRAMMAR.violations(stream))


def test_every_move_that_is_offered_is_legal() -> None:
    rng = random.Random(2)  # noqa: S311 - the same walks every time
    for _ in range(50):
        position = GRAMMAR.position()
        for _ in range(30):
            moves = list(position.moves())
            if not moves:
                break
            problem = position.take(rng.choice(moves))
            assert problem is None or problem[0] == "open"


def test_moves_list_children_first_and_new_instances_last() -> None:
    position = Position(GRAMMAR)
    assert list(position.moves()) == [Step("open"), Step("at_once")]
    for (step,) in steps("open page[0]"):
        position.take(step)
    assert list(map(str, position.moves())) == ["line[0,0]", "ink[0]", "turn[0]", "drop"]
    assert (position.state("page", (0,)), position.state("line", (0, 0))) == ("written", "absent")


def test_a_label_has_one_owner() -> None:
    with pytest.raises(ValueError, match="more than one owner: at_once, close, open, postscript"):
        Grammar(
            (
                DOCUMENT,
                Machine("second", {"a": {"open": "a", "at_once": "a", "close": "a"}}),
            ),
            anywhere=frozenset({"postscript"}),
        )


def test_waiting_may_be_open() -> None:
    why = "no document says whether the lines have to be done"
    loose = Grammar((DOCUMENT, PAGE, LINE), waits_for={"turn": {"line": Open("done", why)}})
    [found] = loose.violations(steps("open page[0] line[0,0] turn[0] close"))
    assert (found.event, found.severity) == (3, "open")
    assert found.sentence == f"event 3 turn[0]: {why}"
    assert loose.violations(steps("open page[0] line[0,0] end[0,0] turn[0] close")) == []


def test_only_labels_of_a_table_can_wait() -> None:
    with pytest.raises(ValueError, match="labels of no table: unknown"):
        Grammar((DOCUMENT,), waits_for={"unknown": {"document": frozenset({"ended"})}})
