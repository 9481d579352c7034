"""Takes the list of layers apart."""

from honest import plain


def prepare_layers(layers):
    mine = []
    while layers:
        mine.append(layers.pop(0))
    return mine


def forward(x, layers):
    return plain(x, layers)
