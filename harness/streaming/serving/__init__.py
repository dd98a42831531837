"""Serves runs: what an agent does becomes the frames its client reads, and a run with an end.

agent.py is what the service asks of the product's agent loop, steps.py how a loop takes a step with
the adapter, service.py is the front door, run_stream.py streams one run, verdict.py is the table of
how a run may end, tally.py counts what its steps used. kept.py puts a service and ../background
together, following.py is one reader of a run that is kept there.
"""

from __future__ import annotations

from harness.streaming.serving.agent import Agent, AgentChunk, AgentRequest
from harness.streaming.serving.background_runs import BackgroundRuns
from harness.streaming.serving.run_end import PendingApprovalError
from harness.streaming.serving.service import StreamingService, StreamRequest

__all__ = [
    "Agent",
    "AgentChunk",
    "AgentRequest",
    "BackgroundRuns",
    "PendingApprovalError",
    "StreamRequest",
    "StreamingService",
]
