"""Raises on import."""
raise RuntimeError("not today")
