"""The endpoints, each a few lines over the stack.

Rule of this file: an invalid request raises before the first byte is sent, and responses.py makes
the response; later errors are reported by client events.
"""

from __future__ import annotations

import re
import time
from functools import partial
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from harness.demo import agent
from harness.demo.agent import Plan
from harness.demo.models import DEFAULT
from harness.demo.page import page
from harness.demo.responses import STATUSES, NotFoundError, error_response, json_response
from harness.demo.streaming_response import StreamingResponse
from harness.errors import InputError
from harness.streaming.reencoding import reencode
from harness.streaming.serving import StreamRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from harness.demo.stack import Stack
    from harness.streaming.serving.runs.store import Run

MAX_PACE_S = 10.0  # between two events; the SDKs time out after 30
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # it is used in paths, headers and keys
_YES = frozenset({"1", "true", "yes"})


class Api:
    """The endpoints of one stack."""

    def __init__(self, stack: Stack):
        self._stack = stack

    async def front(self, request: Request) -> Response:
        """Return the front page."""
        return PlainTextResponse(page(str(request.base_url).rstrip("/")))

    async def models(self, _: Request) -> Response:
        """List the models in the form of OpenAI."""
        data = [{"id": name, "object": "model"} for name in self._stack.models.names]
        return json_response({"object": "list", "data": data})

    async def runs(self, _: Request) -> Response:
        """Return the number of active runs, and the newest runs."""
        newest = await self._stack.runs.by_agent(agent.NAME)
        active = len(self._stack.service.registry)
        return json_response({"going": active, "runs": [run.model_dump() for run in newest]})

    async def create(self, request: Request) -> Any:
        """Create a run: streamed to the client, or in the background."""
        query = request.query_params
        plan = Plan(
            models=tuple(query.getlist("model")) or (DEFAULT,),
            pace=_number("pace", query.get("pace", "0"), MAX_PACE_S),
            approve=tuple(query.getlist("approve")),
            conversation=query.get("conversation"),
        )
        stream_request = self._stream_request(plan, query.get("run_id"))
        if query.get("background", "").lower() in _YES:
            return _started(await self._stack.background.start(stream_request))
        run, frames = await self._stack.stream(stream_request)
        return StreamingResponse(frames, _run_header(run))

    async def run(self, request: Request) -> Response:
        """Return a run."""
        return json_response((await self._existing_run(request)).model_dump())

    async def cancel(self, request: Request) -> Response:
        """Cancel a run, in whatever process it is running."""
        run = await self._stack.cancel(await self._existing_run(request))
        return json_response(run.model_dump(), 200 if run.terminal else 202)

    async def stream(self, request: Request) -> Any:
        """Follow a run from any of its events to its end."""
        run_id = request.path_params["run_id"]
        after = int(_number("after", request.query_params.get("after", "0"), 2**53))
        frames = await self._stack.background.follow(run_id, after)
        return StreamingResponse(frames, {"x-run-id": run_id})

    async def trace(self, request: Request) -> Response:
        """Return the trace of a step."""
        run_id = request.path_params["run_id"]
        number = int(_number("step", request.query_params.get("step", "1"), 2**53))
        trace = await self._stack.traces.read(agent.step_id(run_id, number))
        if trace is None:
            raise NotFoundError(f"there is no trace of step {number} of run {run_id!r}")
        return json_response(trace.model_dump(mode="json"))

    async def approve(self, request: Request) -> Response:
        """Release a conversation whose tool calls wait, so that it can go on."""
        conversation = request.path_params["conversation"]
        waited = conversation in self._stack.agent.pending
        self._stack.agent.pending.discard(conversation)
        return json_response({"conversation": conversation, "waited": waited})

    async def chat(self, request: Request) -> Any:
        """Create a run and stream it as an OpenAI chat completion."""
        body = await _json(request)
        if body.get("stream") is not True:
            raise InputError('only streaming is supported: send "stream": true')
        options, model = body.get("stream_options"), str(body.get("model") or DEFAULT)
        run, frames = await self._stack.stream(self._stream_request(Plan((model,))))
        chunks = reencode(
            frames,
            model=model,
            response_id=f"chatcmpl-{'' if run is None else run.id}",
            created=int(time.time()),
            include_usage=isinstance(options, dict) and bool(options.get("include_usage")),
            reasoning=True,
            tool_calls=True,
        )
        return StreamingResponse(frames, _run_header(run), chunks)

    def _stream_request(self, plan: Plan, run_id: str | None = None) -> StreamRequest:
        for name in plan.models:
            self._stack.models.ensure(name)
        if run_id is not None and not _ID.fullmatch(run_id):
            raise InputError(
                f"run_id={run_id!r} must be 1 to 64 letters, digits, dots, underscores or hyphens"
            )
        return StreamRequest(agent.NAME, plan.conversation, run_id, plan.metadata())

    async def _existing_run(self, request: Request) -> Run:
        run_id = request.path_params["run_id"]
        run = await self._stack.runs.get(run_id)
        if run is None:
            raise NotFoundError(f"there is no run {run_id!r}")
        return run


def application(stack: Stack) -> Starlette:
    """Return the ASGI application over a stack."""
    api = Api(stack)
    post = partial(Route, methods=["POST"])
    routes = [
        Route("/", api.front),
        Route("/v1/models", api.models),
        post("/v1/runs", api.create),
        Route("/v1/runs", api.runs),
        Route("/v1/runs/{run_id}", api.run),
        post("/v1/runs/{run_id}/cancel", api.cancel),
        Route("/v1/runs/{run_id}/stream", api.stream),
        Route("/v1/runs/{run_id}/trace", api.trace),
        post("/v1/conversations/{conversation}/approval", api.approve),
        post("/v1/chat/completions", api.chat),
    ]
    handlers: Any = {error_type: error_response for error_type, _, _ in STATUSES}
    return Starlette(routes=routes, exception_handlers=handlers)


def _started(run: Run) -> Response:
    """Return a background run, and where it can be followed."""
    return json_response(run.model_dump(), 202, location=f"/v1/runs/{run.id}/stream")


def _run_header(run: Run | None) -> dict[str, str]:
    return {} if run is None else {"x-run-id": run.id}


def _number(name: str, text: str, maximum: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= maximum:
        raise InputError(f"{name}={text} must be a number from 0 to {maximum:g}")
    return number


async def _json(request: Request) -> Mapping[str, Any]:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise InputError("the body must be a JSON object")
    return body
