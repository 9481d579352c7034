"""A pickle that runs code where it is read, for processes that play a hostile cluster."""

import pickle

MARKER = "FORWARDBENCH_TEST_MARKER"
"""Environment variable of a victim: the file that is made if it reads the pickle."""
_CODE = f"(lambda file: file and open(file, 'w').close())(__import__('os').environ.get({MARKER!r}))"


class Bomb(Exception):  # noqa: N818 (an error is what it only pretends to be)
    """An exception, so that it can be raised too."""

    def __reduce__(self):
        return eval, (_CODE,)


BOMB = pickle.dumps(Bomb())
"""The pickle itself."""


def dask_bomb():
    """A result that names its type, as Dask's own family of serializers does, by such a pickle."""
    from distributed.protocol import Serialized

    return Serialized({"serializer": "dask", "type-serialized": BOMB, "sub-header": {}}, [b"data"])


def pickle_bomb():
    """A result in the family `pickle`."""
    from distributed.protocol import Serialized

    return Serialized({"serializer": "pickle", "writeable": ()}, [BOMB])
