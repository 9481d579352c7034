"""What all exports are made of."""

from dataclasses import replace

import pytest

from builders.tables import with_table
from forwardbench.outputs.bundle import Bundle


@pytest.fixture
def mixed(make_bundle):
    """A run with every kind of row: measured, no different, a control, estimated and failed."""
    return make_bundle(
        {
            "python_loops": {"4x4-4": [4e-6, 4e-6, 4e-6]},
            "python_loops (control)": {"4x4-4": [4e-6, 4.1e-6, 4e-6]},
            "matmul": {"4x4-4": [1e-6, None, 1.1e-6], "8x8-8": [2e-6, 2e-6, 2e-6]},
            "list_loops": {"4x4-4": [4e-6, 4.2e-6, 3.9e-6]},
            "broken": {"4x4-4": ["ValueError: no"]},
        },
        skipped={("python_loops", "8x8-8"): (3e-5, 2e-5, 4e-5)},
    )


@pytest.fixture
def timed_by_asv(mixed):
    """A run whose intervals are asv's own."""
    facts = {"intervals": "asv's own, 99 %"}
    origin = replace(mixed.results.origin, tool="asv", facts=facts)
    return with_table(Bundle(replace(mixed.results, origin=origin)), passes=1)
