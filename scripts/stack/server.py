"""One real server as an object: its folder, its process, its end. servers.py says how it is used."""
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
deps = root / ".deps"


class ServerFailed(Exception):
    pass


def in_venv(part, path):
    """A file that a Python package of that part brought."""
    found = list(deps.glob(f"venv-{part}/lib/python3.*/site-packages/{path}"))
    return found[0] if found else deps / f"venv-{part}" / path  # which is named when it cannot be run


_claims = []  # open files: what a process claims is free again when it ends, however it ends


def free_ports(count):
    """Ports at which nobody listens. While this process lives no other is given them, also while the server at one is down."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"fleetflow-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    ports, tried = [], []
    while len(ports) < count:
        tried.append(socket.socket())
        tried[-1].bind(("127.0.0.1", 0))
        port = tried[-1].getsockname()[1]
        claim = open(folder / str(port), "w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            continue
        _claims.append(claim)
        ports.append(port)
    for s in tried:
        s.close()
    return ports


def accepts(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def family(pid):
    """The process and all below it, eldest first."""
    children = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # It has just ended.
        children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def session_lives(session):
    """Whether any process of it is left."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = entry.joinpath("stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        if int(words[3]) == session and words[0] != "Z":
            return True
    return False


def run(words, stdin=None):
    words = list(map(str, words))
    done = subprocess.run(words, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(words[:12])}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Server:
    """One process (and its children). Subclasses say how it is set up, run, and known to be ready."""

    seconds_to_start = 90
    stop_signal = signal.SIGTERM

    def __init__(self, folder, outlives=False):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.outlives = outlives
        self.process = None
        try:
            self.set_up()
            self.start()
        except BaseException:
            self.kill()
            raise

    def set_up(self):
        """Makes the data folder, if it is not there yet."""

    def command(self):
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    def start(self):
        assert not self.runs(), f"{self} runs already"
        words = self.command()
        if not self.outlives:
            words = ["setpriv", "--pdeathsig", "KILL", *words]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        until = time.monotonic() + self.seconds_to_start
        while not self.is_ready():
            if not self.runs():
                raise ServerFailed(f"{self} ended at its start (exit {self.process.returncode}); {self.end_of_log()}")
            if time.monotonic() > until:
                raise TimeoutError(f"{self} was not ready within {self.seconds_to_start} s; {self.end_of_log()}")
            time.sleep(0.05)
        return self

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def pid(self):
        return self.process.pid

    def stop(self):
        """As an operator stops it: it may finish what it is at. What takes longer than half a minute is killed."""
        if self.runs():
            self.resume()
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """kill -9 of the whole family: a crash of the machine, but for the page cache."""
        if self.runs():
            self.signal_all(signal.SIGKILL)
            self.process.wait()
            # A child made meanwhile ends by itself, but holds what the next start needs until it has.
            until = time.monotonic() + 5
            while time.monotonic() < until and session_lives(self.pid()):
                time.sleep(0.02)

    def restart(self):
        self.stop()
        return self.start()

    def pause(self):
        """It lives and its connections stay, but it answers nothing until resume()."""
        self.signal_all(signal.SIGSTOP)

    def resume(self):
        self.signal_all(signal.SIGCONT)

    def signal_all(self, number):
        for member in family(self.pid()):
            try:
                os.kill(member, number)
            except ProcessLookupError:
                pass

    def end_of_log(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"its log is {self.log}" + "".join("\n    " + line for line in lines[-15:])

    def remove(self):
        """Stops it and forgets its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def __str__(self):
        return f"{type(self).__name__} in {self.folder}"
