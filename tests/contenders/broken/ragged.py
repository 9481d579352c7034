"""Returns rows of different lengths."""
def forward(x, layers):
    return [[0.0] * (i + 1) for i in range(len(x))]
