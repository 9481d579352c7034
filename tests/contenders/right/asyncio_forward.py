"""asyncio forward."""
import asyncio
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

async def layer(x, w, b, a):
    return act(a, x @ w + b)
async def net(x, layers):
    for l in layers:
        x = await layer(x, *l)
    return x
def forward(x, layers):
    return asyncio.run(net(x, layers))
