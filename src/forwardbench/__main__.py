"""Run the command line with ``python -m forwardbench``."""

import sys

from forwardbench.commands.main import main

sys.exit(main())
