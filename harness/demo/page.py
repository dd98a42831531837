"""The front page: what this is, and commands to paste."""

from __future__ import annotations

COMMANDS = """
  # create a run and stream it; Ctrl-C disconnects, which cancels the run
  curl -N -X POST '{url}/v1/runs?pace=0.1'

  # the same with other SDKs, and with any scenario of `harness list`
  curl -N -X POST '{url}/v1/runs?model=demo/anthropic_messages&pace=0.1'
  curl -N -X POST '{url}/v1/runs?model=openai_chat/baseline/tools'

  # cancel a run from another terminal; then show the run, and the trace of its first step
  curl -N -X POST '{url}/v1/runs?run_id=mine&pace=0.5' &
  curl -X POST '{url}/v1/runs/mine/cancel'
  curl '{url}/v1/runs/mine'
  curl '{url}/v1/runs/mine/trace?step=1'

  # one run at a time per conversation: the second gets status 409
  curl -N -X POST '{url}/v1/runs?conversation=c1&pace=0.5' &
  curl -i -X POST '{url}/v1/runs?conversation=c1'

  # a run without a client (needs --redis), followed from any event, any number of times
  curl -X POST '{url}/v1/runs?run_id=later&background=true&pace=0.5'
  curl -N '{url}/v1/runs/later/stream?after=3'

  # as an OpenAI chat completion
  curl -N '{url}/v1/chat/completions' -H 'content-type: application/json' \\
    -d '{{"model": "demo/anthropic_messages", "stream": true, "messages": []}}'
"""
PAGE = """\
A streaming system to try: SDKs, interfaces, runs, locks and traces, over a local server that
replays provider streams. Nothing is sent to another machine.
{commands}
  GET  /                              this page
  GET  /v1/models                     the models
  GET  /v1/runs                       the number of active runs, and the newest runs
  POST /v1/runs                       ?model=ID (repeat it for more steps), pace=SECONDS,
                                      run_id=ID, conversation=ID, approve=TOOL, background=true
  GET  /v1/runs/ID                    a run: status, stop reason, metadata
  POST /v1/runs/ID/cancel             cancels it, and ends all its streams
  GET  /v1/runs/ID/stream             ?after=SEQ: its events after that number
  GET  /v1/runs/ID/trace              ?step=N: request and outcome of a step
  POST /v1/conversations/ID/approval  releases a conversation that waits for approval
  POST /v1/chat/completions           OpenAI's API; needs "stream": true
"""


def page(url: str) -> str:
    """Return the page for a server's URL."""
    return PAGE.format(commands=COMMANDS.format(url=url))
