"""Make a study of forwardbench itself: `python -m studies NAME [OPTIONS]`.

Run it in the project's folder. Without a name it lists the studies; `python -m studies NAME --help`
says what one takes.
"""

import importlib
import sys

STUDIES = ("methods", "visits", "runs", "company", "awake", "overhead", "hand")
"""Modules of this folder, each with ``main(arguments)`` and a first line that says what it asks."""


def main(arguments):
    """Make the study that was named, or list all."""
    name, *rest = arguments or [""]
    if name in STUDIES:
        importlib.import_module(f"studies.{name}").main(rest)
        return
    if name not in ("", "-h", "--help"):
        print(f"there is no study {name!r}; there are {', '.join(STUDIES)}", file=sys.stderr)
        sys.exit(2)
    print(__doc__)
    for study in STUDIES:
        first_line = importlib.import_module(f"studies.{study}").__doc__.partition("\n")[0]
        print(f"{study:10} {first_line}")


main(sys.argv[1:])
