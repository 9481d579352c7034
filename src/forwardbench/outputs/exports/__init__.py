"""Forms that results are written in: every file here is one, which `outputs.catalogue` finds."""
