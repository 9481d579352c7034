"""What all charts are drawn of."""

import pytest

from builders.tables import LADDER, make


@pytest.fixture
def ladder():
    """Measured, estimated and skipped cells side by side, and a control."""
    return make(LADDER)
