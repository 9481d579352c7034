"""Charts: every file in this folder is one, which `outputs.catalogue` finds."""
