"""Checks that results are correct; only what passes is timed."""
