"""Run the command line with ``python -m forwardbench``."""

import sys

from forwardbench.cli import main

sys.exit(main())
