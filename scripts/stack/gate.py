"""A gate on the wire between a program and a real server: it can be slow, silent, shut, or break what goes through it.

    gate = Gate(postgres.port)      # clients connect to gate.port; the port stays the same until close()
    gate.delay(0.3)                 # each byte arrives 0.3 s later, both ways; the rate is not limited
    gate.hold()                     # connections stay and new ones are taken, but no byte moves (a dead peer, a lost route)
    gate.shut()                     # every connection is reset, new ones are reset at once
    gate.cut()                      # every connection is reset, new ones pass
    gate.cut_after(10_000)          # the next connections are reset when the server has sent that many bytes on them
    gate.heal()                     # as at the start; what was held goes on

One thread with its own event loop. Calls are taken in order and done when they return. gate.connections counts all that were
taken, gate.bytes what went through, both ways.
"""
import asyncio
import contextlib
import socket
import struct
import threading
import time


class Gate:
    def __init__(self, upstream_port, upstream_host="127.0.0.1"):
        self.upstream = (upstream_host, upstream_port)
        self.connections = self.bytes = 0
        self._delay_s, self._shut, self._cut_after = 0.0, False, None
        self._writers, self._tasks = set(), set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open())

    def delay(self, seconds):
        self._do(self._set(_delay_s=seconds))

    def hold(self):
        self._do(self._set(flowing=False))

    def shut(self):
        self._do(self._set(_shut=True, flowing=True, reset=True))

    def cut(self):
        self._do(self._set(reset=True))

    def cut_after(self, bytes_to_client):
        self._do(self._set(_cut_after=bytes_to_client))

    def heal(self):
        self._do(self._set(_delay_s=0.0, _shut=False, _cut_after=None, flowing=True))

    def close(self):
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _do(self, coroutine):
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _open(self):
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self):
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _set(self, flowing=None, reset=False, **values):
        self.__dict__.update(values)
        if flowing is not None:
            (self._flowing.set if flowing else self._flowing.clear)()
        if reset:
            for writer in list(self._writers):
                _reset(writer)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self._writers.add(writer)
        self.connections += 1
        upstream_writer = None
        try:
            if self._shut:
                return
            upstream_reader, upstream_writer = await asyncio.open_connection(*self.upstream)
            self._writers.add(upstream_writer)
            there = asyncio.ensure_future(self._pump(reader, upstream_writer, None))
            back = asyncio.ensure_future(self._pump(upstream_reader, writer, self._cut_after))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in (there, back):
                    pump.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # Upstream is not there, or the gate ends; the client sees a reset.
        finally:
            for each in filter(None, (writer, upstream_writer)):
                _reset(each)
                self._writers.discard(each)
            self._tasks.discard(asyncio.current_task())

    async def _pump(self, reader, writer, bytes_left):
        """Ends when either side has ended, or `bytes_left` (None: no limit) are through."""
        queue = asyncio.Queue(256)

        async def read():
            with contextlib.suppress(OSError):  # a side that is killed resets; the other is to hear of it
                while chunk := await reader.read(1 << 16):
                    await queue.put((time.monotonic() + self._delay_s, chunk))
            await queue.put((0, b""))

        reading = asyncio.ensure_future(read())
        try:
            while True:
                due, chunk = await queue.get()
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                await self._flowing.wait()
                if not chunk:
                    return
                chunk = chunk if bytes_left is None else chunk[:bytes_left]
                writer.write(chunk)
                await writer.drain()
                self.bytes += len(chunk)
                if bytes_left is not None and (bytes_left := bytes_left - len(chunk)) <= 0:
                    return
        except OSError:
            pass
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def _reset(writer):
    """Closes with RST: nothing that is still on its way arrives."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
