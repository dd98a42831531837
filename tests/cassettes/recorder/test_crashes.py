"""No secret is on the disk at any moment, and nothing is lost when a process is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from harness.cassettes import load, recording
from harness.cassettes.recorder import write_queue
from harness.cassettes.recorder.journal import Journal, JournalHeader, JournalReader
from harness.cassettes.recorder.session import recover
from harness.cassettes.scrubbing import body as scrubbing_body
from harness.errors import InputError
from harness.wire.script import Script
from tests.cassettes.recorder.conftest import FRAMES, SCRIPT, Provider
from tests.cassettes.scrubbing.made_up_secrets import ENCODERS, fragments, joined, secrets, seeded

if TYPE_CHECKING:
    from collections.abc import Callable

HARNESS = str(Path(sys.executable).with_name("harness"))
BODY = b"".join(FRAMES)
ASK = """
import os, sys, httpx2
url = os.environ["A_BASE_URL"] + "/x"
with httpx2.stream("POST", url, content=b"{}", trust_env=False, timeout=60) as reply:
    for read in reply.iter_raw():
        print(len(read), flush=True)
"""


def test_secrets_are_forwarded_and_none_is_on_the_disk(provider: Provider, tmp_path: Path) -> None:
    planted, rng = list(secrets(5)), seeded(11)
    path = tmp_path / "a.yaml"
    names = list(ENCODERS)
    recorder = recording(path, "all", upstream=[provider.register(SCRIPT)], secrets=())
    seen = b""
    with recorder, httpx2.Client(trust_env=False, timeout=60) as client:
        for number, secret in enumerate(planted):
            recorded = ENCODERS[names[number % len(names)]](
                fragments(f"It is {secret.text} here", rng)
            )
            echo = (("content-type", "text/event-stream"), ("x-note", f"see {secret.text}"))
            provider.register(Script((recorded,), headers=echo, cut=f"random:{number}"))
            asked = {"role": "user", "content": json.dumps({"use": secret.text})}
            reply = client.post(
                f"{recorder.base_url('a')}/x?note=see+{secret.text.replace(' ', '+')}",
                json=asked,
                headers={"authorization": f"Bearer {secret.text}", "cookie": f"a={secret.value}"},
            )
            assert reply.content == recorded  # forwarded unchanged
            seen = (tmp_path / "a.yaml.journal").read_bytes()
    written = path.read_bytes()
    for secret in planted:
        for place in (written, seen):
            at = place.find(secret.value.encode())
            assert at < 0, (secret, place[at - 200 : at + 99])
    found = load(path).interactions
    assert len(found) == len(planted)
    for secret, kept in zip(planted, found, strict=True):
        assert secret.value not in joined(kept.response.body), secret.kind
    assert recorder.summary.masked.total() > 4 * len(planted)


def start(provider: Provider, tmp_path: Path, script: Script, *more: str) -> subprocess.Popen[str]:
    """Start ``harness record`` on a client that prints what it reads."""
    command = [HARNESS, "record", "--cassette", str(tmp_path / "a.yaml"), *more]
    command += ["--upstream", provider.register(script), "--", sys.executable, "-c", ASK]
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def journal_of(tmp_path: Path) -> str:
    path = tmp_path / "a.yaml.journal"
    return path.read_text("utf-8") if path.exists() else ""


@pytest.mark.parametrize("old", [None, "interactions: []\nversion: 1\n"])
def test_after_sigkill_the_old_cassette_is_unchanged_and_the_journal_is_recovered(
    old: str | None, provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    if old is not None:
        path.write_text(old, "utf-8")
    stalling = SCRIPT._replace(frames=FRAMES[:4], end="stall")
    process = start(provider, tmp_path, stalling, "--mode", "new_episodes")
    until(lambda: "word 3" in journal_of(tmp_path))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert (path.read_text("utf-8") if path.exists() else None) == old
    with (tmp_path / "a.yaml.journal").open("ab") as journal:
        journal.write(b'{"n": 1, "text": "to')  # as if it had been killed while it wrote
    completed = subprocess.run(  # noqa: S603 - our own command
        [HARNESS, "record", "--recover", str(tmp_path / "a.yaml.journal")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert completed.stderr == "harness: 1 exchange recovered\n"
    [recorded] = load(path).interactions
    assert recorded.response.body == b"".join(FRAMES[:4])
    assert recorded.response.stream.end == "reset"
    assert sum(read.length for read in recorded.response.stream.reads or ()) == len(FRAMES[0]) * 4
    assert not (tmp_path / "a.yaml.journal").exists()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_recording_is_saved(
    sent: signal.Signals, code: int, provider: Provider, tmp_path: Path
) -> None:
    stalling = SCRIPT._replace(frames=FRAMES[:4], end="stall")
    process = start(provider, tmp_path, stalling)
    until(lambda: "word 3" in journal_of(tmp_path))
    if sent is signal.SIGINT:  # as a terminal sends it: to the process group
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "1 recorded, 0 replayed" in err
    [recorded] = load(tmp_path / "a.yaml").interactions
    assert (recorded.response.body, recorded.response.stream.end) == (
        b"".join(FRAMES[:4]), "client_closed",
    )  # fmt: skip


def test_the_record_command(provider: Provider, tmp_path: Path) -> None:
    for mode, counts in (("once", "1 recorded, 0 replayed"), ("none", "0 recorded, 1 replayed")):
        process = start(provider, tmp_path, SCRIPT, "--mode", mode)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert sum(map(int, out.split())) == len(BODY)
        assert f"a.yaml: {counts}\n" in err
    process = start(provider, tmp_path, SCRIPT, "--json")
    out, err = process.communicate(timeout=30)
    assert json.loads(out.splitlines()[-1]) == {
        "cassette": str(tmp_path / "a.yaml"),
        "recorded": 0,
        "played": 1,
        "missed": [],
        "masked": {},
    }
    assert err == ""
    [recorded] = load(tmp_path / "a.yaml").interactions
    assert recorded.response.body == BODY
    assert recorded.response.stream.provenance
    assert "-c" in (recorded.response.stream.provenance.command or "")


def test_memory_does_not_grow_with_the_body(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing_body, "MAX_HELD", 64 * 1024)
    monkeypatch.setattr(write_queue, "MAX_SIZE", 64 * 1024)
    frame = b'data: {"delta":"' + b"many words " * 90 + b'"}\n\n'
    script = Script((frame,) * 1500, cut="event")  # one bytes object: 1.5 MB on the wire only
    peaks = []
    with recording(tmp_path / "a.yaml", upstream=[provider.register(script)]) as recorder:
        tracemalloc.start()
        url = f"{recorder.base_url('a')}/x"
        with httpx2.stream("POST", url, content=b"{}", trust_env=False, timeout=60) as reply:
            for number, _ in enumerate(reply.iter_raw()):
                if number % 250 == 249:
                    peaks.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert len(load(tmp_path / "a.yaml").interactions[0].response.body) == len(frame) * 1500
    assert max(peaks) - min(peaks) < 1024 * 1024


@pytest.mark.parametrize(
    ("command", "code", "expected"),
    [
        ((), 2, "there is no command to run; write it after --"),
        (("--", "no-such-command-here"), 127, "no-such-command-here: command not found"),
        (("--", "/"), 126, "/: Permission denied"),
        (("--mode", "onec", "--", "true"), 2, "did you mean 'once'?"),
        (("--", sys.executable, "-c", "raise SystemExit(7)"), 7, "0 recorded, 0 replayed"),
        (("--recover", "nowhere"), 2, "nowhere: cannot be read"),
    ],
)
def test_the_exit_code_is_that_of_the_command(
    command: tuple[str, ...], code: int, expected: str, tmp_path: Path
) -> None:
    completed = subprocess.run(  # noqa: S603 - our own command
        [HARNESS, "record", *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (completed.returncode, expected in completed.stderr) == (code, True), completed.stderr


def test_the_exit_code_is_1_if_a_request_was_refused(provider: Provider, tmp_path: Path) -> None:
    process = start(provider, tmp_path, SCRIPT, "--mode", "none")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "no recorded request has this method and URL; record it" in err


# The journal itself.
def test_an_incomplete_journal_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", JournalHeader("a.yaml", keeps=False))
    asked: Any = {"method": "GET", "uri": "u", "headers": [["a", "b"]], "body": "", "what": "w"}
    journal.append(n=1, **asked)
    journal.append(n=2, **asked)
    journal.append(n=2, status=200, reason="OK", headers=[])
    journal.append(n=2, reads=[[5, 0.1]], text="abc\udcff")
    journal.append(n=2, reads=[[9, 0.2]], text="")
    journal.close()
    with JournalReader(tmp_path / "j") as reader:
        [recorded] = reader.interactions()
        assert reader.answered == 1
    assert recorded.response.body == b"abc\xff"
    assert [read.length for read in recorded.response.stream.reads or ()] == [4]
    assert recover(tmp_path / "j") == 1
    assert load(tmp_path / "a.yaml").interactions == (recorded,)


def test_bytes_of_an_unfinished_read_count_as_one_read(tmp_path: Path) -> None:
    """A large read is recorded in portions, and its length is written with the last of them."""
    journal = Journal(tmp_path / "j", JournalHeader("a.yaml", keeps=False))
    asked: Any = {"method": "GET", "uri": "u", "headers": [], "body": "", "what": "w"}
    journal.append(n=1, **asked)
    journal.append(n=1, status=200, reason="OK", headers=[])
    journal.append(n=1, reads=[[3, 0.1]], text="abcde")
    journal.append(n=1, reads=[], text="fgh")
    journal.close()
    assert recover(tmp_path / "j") == 1
    [recorded] = load(tmp_path / "a.yaml").interactions
    assert recorded.response.stream.reads == ((3, 0.1), (5, 0.1))


@pytest.mark.parametrize("text", ["", "hello\n", "[]\n", '{"journal": 2}\n', '{"journal": 1}\n'])
def test_a_file_that_is_not_a_journal_is_reported(text: str, tmp_path: Path) -> None:
    (tmp_path / "j").write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"name a \.journal file that `harness record` wrote"):
        recover(tmp_path / "j")
    with pytest.raises(InputError, match="cannot be read"):
        recover(tmp_path / "nowhere")
    assert (tmp_path / "j").exists()
