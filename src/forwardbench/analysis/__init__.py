"""From results to tables and sentences: pure functions."""
