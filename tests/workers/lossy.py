"""A gateway before a catalog and its store that hands requests on and sometimes keeps the answer to itself, as one does that times
out: the client cannot know whether its commit happened.

    gateway = Gateway(catalog.iceberg, lose_every=7)   # of the commits that go through, each 7th
    gateway = Gateway(catalog.s3, may_delete=False)    # nothing is deleted, as in a bucket whose policy says so

Clients connect to gateway.port. A request is taken to begin where the client speaks after an answer.
"""
import socket
import threading

refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Gateway:
    def __init__(self, upstream_port, lose_every=0, may_delete=True):
        self.upstream, self.lose_every, self.may_delete = ("127.0.0.1", upstream_port), lose_every, may_delete
        self.commits = self.lost = self.refused = 0
        self.lock = threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                with socket.create_connection(self.upstream) as upstream:
                    self._hand_on(client, upstream)
            except OSError:
                pass  # one side is gone; the other sees its connection end

    def _hand_on(self, client, upstream):
        """One thread for what the client says, this one, and one for the answers."""
        keeps = threading.Event()

        def answer():
            try:
                while (said := upstream.recv(1 << 16)) and not keeps.is_set():
                    client.sendall(said)
            except OSError:
                pass
            finally:
                for side in (client, upstream):
                    _end(side)

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        try:
            while said := client.recv(1 << 16):
                if said.startswith(b"DELETE ") and not self.may_delete:
                    self.refused += 1
                    client.sendall(refusal)
                    return
                if said.startswith(b"POST ") and b"/transactions/commit" in said.split(b"\r\n", 1)[0] and self._is_to_lose():
                    keeps.set()
                upstream.sendall(said)
        finally:
            for side in (client, upstream):
                _end(side)
            answering.join()

    def _is_to_lose(self):
        with self.lock:
            self.commits += 1
            is_lost = self.lose_every > 0 and self.commits % self.lose_every == 0
            self.lost += is_lost
            return is_lost


def _end(side):
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended by itself
