"""What the end-to-end tests share: commands run on processes, on every machine, unless a test asks for something else."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _processes() -> Iterator[None]:
    """Whether there is a container engine makes no difference to tests that are not about containers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOCSIN_RUNTIME", "processes")
        yield
