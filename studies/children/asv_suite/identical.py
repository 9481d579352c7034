"""Identical code under asv, with its own defaults."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from cells import LABELS, NAMES, call

CALLS = {(name, label): call(name) for name in NAMES for label in LABELS}


def time_identical(name, label):
    """One call of a cell."""
    function, arguments = CALLS[name, label]
    function(*arguments)


time_identical.params = [NAMES, list(LABELS)]
