"""Asks for a framework in words."""
REQUIRES = "not a name"
def forward(x, layers):
    return x
