"""The exit statuses of the command."""

GOOD = 0
FAILED = 1
"""Something failed or was rejected."""
USAGE = 2
"""The request is not possible, or the results cannot be read."""
REGRESSION = 3
"""A comparison with ``--fail-on-regression`` found a regression."""
INTERRUPTED = 130
