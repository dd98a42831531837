"""``sdk-helper``: the SDKs' own accumulators, and the final object of each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.errors import TargetError
from harness.sdks import binding_of, names
from harness.sdks.listening import SdkListening

if TYPE_CHECKING:
    from harness.sdks.clients import SdkClients
    from harness.targets.base import Call


class SdkHelperTarget:
    """The accumulators of the installed SDKs.

    Args:
        clients: the SDK clients of the run.
    """

    name = "sdk-helper"

    def __init__(self, clients: SdkClients) -> None:
        self._clients = clients
        self.protocols = tuple(name for name in names() if binding_of(name).helper is not None)

    def listen(self, call: Call) -> SdkListening:
        """Return a listening for one stream.

        Raises:
            TargetError: the SDK has no helper for this protocol.
        """
        binding = binding_of(call.protocol)
        if binding.helper is None:
            raise TargetError(f"{binding.distribution} has no stream helper for {call.protocol}")
        opener = partial(binding.helper.open, self._clients, call)
        return SdkListening(binding, opener, binding.helper.reader())
