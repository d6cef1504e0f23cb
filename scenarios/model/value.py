"""Value: what every part of a scenario is, and the error of one whose parts contradict each other."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, validate_default=False)


class Misfit(ValueError):
    """
    Something in a scenario contradicts something else in it.

    `where` leads from the value that noticed it to the key to change, as in `("expect", 0, "alert", "within")`.
    """

    def __init__(self, text: str, *where: str | int) -> None:
        super().__init__(text)
        self.where = where


class Misfits(ValueError):
    """All that does not fit together in one scenario, in the order in which it was found."""

    def __init__(self, misfits: Sequence[Misfit]) -> None:
        super().__init__("\n".join(str(misfit) for misfit in misfits))
        self.misfits = tuple(misfits)
