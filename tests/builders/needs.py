"""What a test needs: where it is missing the test is skipped, and fails where `CI` is set."""

import os

import pytest

from forwardbench import implementations
from forwardbench.implementations import requirements


def need(missing: str) -> None:
    """Skip a test that something is missing for; where `CI` is set everything has to be there."""
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    elif missing:
        pytest.skip(missing)


def skip_without(name: str) -> None:
    """Skip a test of a rung that cannot be used here; where `CI` is set, only for want of a GPU."""
    description = implementations.describe(name)
    if description.needs == requirements.GPU and description.missing:
        pytest.skip(description.missing)
    need(description.missing)
