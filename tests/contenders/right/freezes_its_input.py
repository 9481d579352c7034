"""Makes what it is given read-only."""

from honest import plain


def prepare_input(x):
    x.flags.writeable = False
    return x


def forward(x, layers):
    return plain(x, layers)
