"""One channel on which every process that shares a Redis hears which run is to end.

Rule of this file: a word that nobody hears is lost, as Redis has it; so whoever cancels a run says
so in its store, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.streaming.serving.background.redis_client import redis_errors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.streaming.serving.background.settings import Settings


class CancelChannel:
    """The channel.

    Args:
        client: of ``door.connect``.
        settings: where it is.

    Every method raises RedisFailedError where Redis goes away.
    """

    def __init__(self, client: Any, settings: Settings):
        self._client, self._patience = client, settings.block
        self._channel = f"{settings.prefix}:calling-off"

    async def call(self, run_id: str) -> int:
        """Say that a run is to end; returns how many processes heard it."""
        with redis_errors():
            heard: int = await self._client.publish(self._channel, run_id)
        return heard

    async def calls(self) -> AsyncGenerator[str | None, None]:
        """Yield None once it listens, then the id of every run that is called off."""
        async with self._client.pubsub(ignore_subscribe_messages=True) as listener:
            with redis_errors():
                await listener.subscribe(self._channel)
            yield None
            while True:
                with redis_errors():
                    message = await listener.get_message(timeout=self._patience)
                if message is not None:
                    yield message["data"].decode()
