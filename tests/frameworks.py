"""Rungs whose framework may be missing: their tests are skipped then, but not where CI is set."""

import os

import pytest

from forwardbench import implementations, requirements


def needs(name):
    """A mark for tests that need what a rung needs; only a missing GPU excuses CI."""
    description = implementations.describe(name)
    excused = description.needs == requirements.GPU or "CI" not in os.environ
    return pytest.mark.skipif(bool(description.missing) and excused, reason=description.missing)
