"""Charts: every file in this folder is one, and `outputs.catalogue` finds it."""
