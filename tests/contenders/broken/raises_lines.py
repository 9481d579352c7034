"""Raises several lines with control characters."""
def forward(x, layers):
    raise ValueError("first\nsecond \x1b[31m red")
