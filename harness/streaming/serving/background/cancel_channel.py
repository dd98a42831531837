"""A Redis channel that announces to every process which run to cancel.

Redis does not store the messages of a channel: a process that does not listen misses them. So a
caller that cancels a run writes that to the run's store, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.streaming.serving.background.redis_client import redis_errors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.streaming.serving.background.settings import Settings


class CancelChannel:
    """The channel of one Redis.

    Args:
        client: of ``redis_client.connect``.
        settings: the key prefix and the time to block.

    Every method raises RedisFailedError if Redis fails.
    """

    def __init__(self, client: Any, settings: Settings):
        self._client, self._block_s = client, settings.block
        self._channel = f"{settings.prefix}:calling-off"

    async def publish(self, run_id: str) -> int:
        """Ask all processes to cancel a run; return how many received it."""
        with redis_errors():
            receivers: int = await self._client.publish(self._channel, run_id)
        return receivers

    async def listen(self) -> AsyncGenerator[str | None, None]:
        """Yield None once it is subscribed, then the id of every run that is to be cancelled."""
        async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
            with redis_errors():
                await subscription.subscribe(self._channel)
            yield None
            while True:
                with redis_errors():
                    message = await subscription.get_message(timeout=self._block_s)
                if message is not None:
                    yield message["data"].decode()
