"""Uses its input as scratch space."""

from honest import ACT


def forward(x, layers):
    for number, (w, b, g) in enumerate(layers):
        z = ACT[g](x @ w + b)
        if number == 0:
            x[0, 0] = 0
        x = z
    return x
