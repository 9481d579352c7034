"""dataclass future."""
from __future__ import annotations
from dataclasses import dataclass, field
from typing import Any, Dict, List, Literal
import numpy as np
import numpy.typing as npt

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

@dataclass(frozen=True)
class Layer:
    weights: npt.NDArray[np.floating[Any]]
    bias: np.ndarray
    activation: Literal["sigmoid", "relu", "tanh", "linear"]

@dataclass
class Result:
    values: np.ndarray | None
    meta: Dict[str, int] = field(default_factory=dict)

def prepare_layers(layers: List[Any]) -> List[Layer]:
    return [Layer(*l) for l in layers]
def forward(x: np.ndarray, layers: List[Layer]) -> Result:
    for l in layers:
        x = act(l.activation, x @ l.weights + l.bias)
    return Result(x, {"n": len(x)})
def to_numpy(r: Result) -> np.ndarray:
    assert r.values is not None
    return r.values
