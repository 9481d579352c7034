"""A program: Dask schedulers that send their clients bombs, each in another message.

Its arguments: a file, and names of `MESSAGES`. It writes the address of each into the file.
"""

import asyncio
import json
import sys
from pathlib import Path

from distributed import Scheduler
from distributed.comm.core import Comm
from distributed.protocol.serialize import ToPickle

from builders.bombs import BOMB, Bomb, dask_bomb, pickle_bomb

PACKED = {"marked": lambda: ToPickle(Bomb()), "dask": dask_bomb, "pickle": pickle_bomb}
"""The three ways in which Dask packs a pickle into a message."""
ADDRESS = "tcp://127.0.0.1:9"
WORKER = {"host": "127.0.0.1", "nthreads": 1, "memory_limit": 2**30}
ANSWER = b'{"trouble": "heard to the end", "status": 1}\n'


class Hostile(Scheduler):
    """Answers as Dask does, but for one message."""

    def __init__(self, message):
        super().__init__(host="127.0.0.1", port=0, dashboard=False)
        self.message, _, self.packed = message.partition("-")
        self.handlers["identity"] = self.introduce
        self.handlers["ncores"] = lambda **details: {ADDRESS: 1}
        self.handlers["gather"] = self.answer
        self.stream_handlers["update-graph"] = self.report

    def introduce(self, **details):
        """Name a worker that does not exist."""
        about = {"type": "Scheduler", "workers": {ADDRESS: WORKER}}
        if self.message == "identity":
            about["bomb"] = PACKED[self.packed]()
        return about

    async def answer(self, keys, serializers=None):
        """Send the result of tasks."""
        value = PACKED[self.packed]() if self.message == "answer" else ANSWER
        return {"status": "OK", "data": dict.fromkeys(keys, value)}

    def report(self, client, keys, **details):
        """Report on tasks that nobody computes."""
        key = min(keys)
        done = {"op": "key-in-memory", "key": key}
        erred = {"op": "task-erred", "key": key}
        event = {"op": "event", "topic": "x"}
        messages = {
            "event": lambda: [{**event, "event": PACKED[self.packed]()}, done],
            "status": lambda: [{"op": "x", "status": "error", "exception": BOMB}],
            "type": lambda: [{**done, "type": BOMB}],
            "exception": lambda: [{**erred, "exception": BOMB}],
            "traceback": lambda: [{**erred, "exception": "text", "traceback": BOMB}],
            "warning": lambda: [{**event, "topic": "warn", "event": (0, {"message": BOMB})}, done],
            "print": lambda: [
                {**event, "topic": "print", "event": (0, {"args": ("\x1b[2Jprinted",)})},
                done,
            ],
        }
        for message in messages.get(self.message, lambda: [done])():
            self.client_comms[client].send(message)


async def main(file, messages):
    """Serve until killed."""
    schedulers = {message: await Hostile(message) for message in messages}
    addresses = {message: scheduler.address for message, scheduler in schedulers.items()}
    usual = Comm.handshake_info

    def handshake_info(comm):
        bomb = {"bomb": ToPickle(Bomb())} if comm.local_address == addresses["handshake"] else {}
        return usual(comm) | bomb

    Comm.handshake_info = handshake_info
    Path(file).write_text(json.dumps(addresses))
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2:]))
