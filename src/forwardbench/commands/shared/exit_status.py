"""What the command's exit status means."""

GOOD = 0
FAILED = 1
"""Something failed or was rejected."""
USAGE = 2
"""What was asked for cannot be done, or cannot be read."""
REGRESSION = 3
"""A comparison found one, and was asked to."""
INTERRUPTED = 130
