"""What is for people and no data, on stderr."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Tell people something that is no data."""
    print(line, file=sys.stderr, flush=True)
