"""A contender that computes rightly until it is asked for the larger case."""

from pathlib import Path


def write_contender(path: Path, deed: str) -> Path:
    """Write one that does a deed, one line of Python, where it is given two layers."""
    path.write_text(
        "import numpy as np, os, sys, time\n"
        "kept = {}\n"
        "def plain(x, layers):\n"
        "    for w, b, g in layers:\n        x = 0.5 * np.tanh(0.5 * (x @ w + b)) + 0.5\n"
        "    return x\n"
        "def forward(x, layers):\n"
        f"    if len(layers) == 2:\n        {deed}\n"
        "    return plain(x, layers)\n"
    )
    return path
