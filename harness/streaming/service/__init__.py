"""Serves runs: what an agent does becomes the frames its client reads, and a run with an end.

agent.py is what the service asks of the product's agent loop, steps.py how a loop takes a step with
the adapter, service.py is the front door, run_stream.py streams one run, verdict.py is the table of
how a run may end, tally.py counts what its steps used. kept.py puts a service and ../background
together, following.py is one reader of a run that is kept there.
"""

from __future__ import annotations

from harness.streaming.service.agent import Agent, Said, Work
from harness.streaming.service.kept import KeptRuns
from harness.streaming.service.service import StreamingService, StreamRequest
from harness.streaming.service.verdict import PendingApprovalError

__all__ = [
    "Agent",
    "KeptRuns",
    "PendingApprovalError",
    "Said",
    "StreamRequest",
    "StreamingService",
    "Work",
]
