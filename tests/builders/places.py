"""Where what the tests read lies."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "forwardbench"
CONTENDERS = ROOT / "tests" / "contenders"
"""Right, wrong and broken implementations."""
REFERENCE = ROOT / "results" / "reference"
ASV = ROOT / "results" / "asv" / "reference"
"""Committed results: asv's of one machine, since a developer's own may stand beside them."""
