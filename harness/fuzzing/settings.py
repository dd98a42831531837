"""What a campaign does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.fuzzing.properties import PROPERTIES
from harness.protocols import names
from harness.targets.addresses import BUILTIN
from harness.targets.resolving import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.fuzzing.properties.property import Property


@dataclass(frozen=True)
class Settings:
    """The settings of a campaign.

    Args:
        target: an address, or the target itself.
        protocols: the protocols of the streams.
        properties: what to evaluate.
        examples: how many evaluations of one property on one case; None sets no bound.
        seconds: when to stop drawing; None sets no bound.
        seed: decides what is drawn.
        timeout: seconds that one stream may take.
        in_memory: whether to replay through the SDKs' transport instead of a socket; None decides
            by the target's address.
        variants: other targets that must deliver the same, by name; None takes those of the
            target's address.
    """

    target: str | object = "builtin"
    protocols: tuple[str, ...] = field(default_factory=names)
    properties: tuple[Property, ...] = PROPERTIES
    examples: int | None = 2000
    seconds: float | None = None
    seed: int = 0
    timeout: float = 10.0
    in_memory: bool | None = None
    variants: Mapping[str, str | object] | None = None

    @property
    def variant_targets(self) -> Mapping[str, str | object]:
        """The variants of the target, by name."""
        if self.variants is not None:
            return self.variants
        row = BUILTIN.get(self.target) if isinstance(self.target, str) else None
        return row.variants if row else {}

    @property
    def applicable(self) -> tuple[Property, ...]:
        """The properties without those that compare with a variant the target does not have."""
        have = self.variant_targets
        return tuple(one for one in self.properties if not one.variant or one.variant in have)

    def database_name(self, protocol_name: str) -> str:
        """Return the name under which the failing examples of a protocol are stored."""
        return f"{name_of(self.target)} {protocol_name}"
