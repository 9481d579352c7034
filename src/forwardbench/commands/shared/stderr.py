"""Messages for people, on stderr; data goes to stdout."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print a line on stderr."""
    print(line, file=sys.stderr, flush=True)
