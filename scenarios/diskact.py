"""DiskAct: the disk of a component is filled to the last byte, kept full, and emptied of what filled it."""

from dataclasses import dataclass
from typing import ClassVar

from scenarios.act import Act, Detail, Services
from scenarios.model import DiskFullFault


@dataclass(kw_only=True)
class DiskAct(Act):
    """The disk ends with the stack, which nobody else shares."""

    APPLY_FOR_S: ClassVar[float] = 3.0

    fault: DiskFullFault
    services: Services

    def apply(self) -> Detail:
        """Fill it; it only returns when not a byte more could be written."""
        self.services.fill_disk(self.fault.target)
        return {"proof": "not a byte more could be written to its disk"}

    def renew(self) -> Detail:
        """Fill what it has freed by itself meanwhile."""
        self.services.fill_disk(self.fault.target)
        return {}

    def heal(self) -> Detail:
        """Take away what filled it."""
        self.services.free_disk(self.fault.target)
        return {}
