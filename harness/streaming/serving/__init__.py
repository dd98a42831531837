"""Serves runs: an agent's chunks become client events, and the run is stored with its end.

agent.py is the contract with the product's agent loop, service.py streams runs, run_end.py says how
a run ended and what it used, keepalive.py adds pings. client_events/ builds, writes and reads the
events a client receives. runs/ stores runs and locks conversations. background/ stores client
events in Redis; background_runs.py combines it with a service, run_follower.py reads one such run.
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
