"""What a person reads first: what this is, and lines to paste."""

from __future__ import annotations

LINES = """
  # a run, with its frames; Ctrl-C leaves it, and so ends it
  curl -N -X POST '{url}/v1/runs?pace=0.1'

  # the same through other SDKs, and any scenario of `harness list`
  curl -N -X POST '{url}/v1/runs?model=demo/anthropic_messages&pace=0.1'
  curl -N -X POST '{url}/v1/runs?model=openai_chat/baseline/tools'

  # cancel it from another terminal; then look at it, and at the trace of its first step
  curl -N -X POST '{url}/v1/runs?run_id=mine&pace=0.5' &
  curl -X POST '{url}/v1/runs/mine/cancel'
  curl '{url}/v1/runs/mine'
  curl '{url}/v1/runs/mine/trace?step=1'

  # one run at a time on a conversation: the second is answered with 409
  curl -N -X POST '{url}/v1/runs?conversation=c1&pace=0.5' &
  curl -i -X POST '{url}/v1/runs?conversation=c1'

  # without a client (needs --redis), followed from any frame, as often as one likes
  curl -X POST '{url}/v1/runs?run_id=later&background=true&pace=0.5'
  curl -N '{url}/v1/runs/later/stream?after=3'

  # as an OpenAI client sees it
  curl -N '{url}/v1/chat/completions' -H 'content-type: application/json' \\
    -d '{{"model": "demo/anthropic_messages", "stream": true, "messages": []}}'
"""
PAGE = """\
A streaming system to be touched: SDKs, interfaces, runs, locks, traces, and a provider that is no
model. Nothing leaves this machine.
{lines}
  GET  /                              this page
  GET  /v1/models                     what can be asked for
  GET  /v1/runs                       how many runs go on, and the newest
  POST /v1/runs                       ?model=ID (again: who is asked next), pace=SECONDS,
                                      run_id=ID, conversation=ID, approve=TOOL, background=true
  GET  /v1/runs/ID                    a run as it stands
  POST /v1/runs/ID/cancel             ends it, and every stream of it
  GET  /v1/runs/ID/stream             ?after=SEQ: its frames behind that number
  GET  /v1/runs/ID/trace              ?step=N: what a step asked and got
  POST /v1/conversations/ID/approval  answers the calls that wait for a person's word
  POST /v1/chat/completions           OpenAI's words, in and out
"""


def page(url: str) -> str:
    """Return the page of a server."""
    return PAGE.format(lines=LINES.format(url=url))
