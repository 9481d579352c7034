"""exec closure."""
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

def prepare_layers(layers):
    ns = {"np": np}
    src = ["def net(x):"]
    E = {"sigmoid": "0.5*np.tanh(0.5*({}))+0.5", "relu": "np.maximum({}, 0)", "tanh": "np.tanh({})", "linear": "({})"}
    for i, (w, b, a) in enumerate(layers):
        ns[f"w{i}"], ns[f"b{i}"] = w, b
        src.append("    x = " + E[a].format(f"x @ w{i} + b{i}"))
    src.append("    return x")
    exec(compile("\n".join(src), "<net>", "exec"), ns)
    return ns["net"]
def forward(x, net):
    return net(x)
