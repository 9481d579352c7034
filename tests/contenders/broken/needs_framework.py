"""Needs a framework that nobody has."""
import numpy as np
REQUIRES = "no_such_framework"
import no_such_framework
def forward(x, layers):
    return x
