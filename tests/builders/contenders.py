"""Contenders that tests write or make."""

from pathlib import Path

from forwardbench.implementations import Implementation
from forwardbench.verification.upbringing import in_this_process
from forwardbench.verification.verify import Verdict, verify_loaded


def judged(implementation: Implementation) -> Verdict:
    """The verdict on an implementation that is loaded in this process."""
    return verify_loaded(in_this_process(implementation))


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


SLEEPS = '''"""Compiles, as it says: its first call takes a moment."""

import time

import numpy as np

COMPILES = True
COMPILED = set()


def prepare_layers(layers):
    time.sleep(0.02)
    return layers


def forward(x, layers):
    if not COMPILED:
        time.sleep(0.1)
        COMPILED.add(True)
    for w, b, g in layers:
        z = np.matmul(x, w) + b
        x = {"sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5, "tanh": np.tanh,
             "relu": lambda z: np.maximum(z, 0), "linear": lambda z: z}[g](z)
    return x
'''
"""Its first call takes more than 0.12 s."""
