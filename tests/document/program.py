"""The program under test, started as its hosts start it, with a database of its own."""

import os
import re
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pg8000.native
import requests

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/debug/latchkey"


class Program:
    """A running `latchkey demo`: its address, the demo's key, and a client that sends it."""

    def __init__(self, address, key):
        self.address = address
        self.api = f"{address}/api/v1"
        self.key = key
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["user-api-key"] = key

    def send(self, method, path, body=None, **arguments):
        return self.session.request(method, self.api + path, json=body, timeout=30, **arguments)

    def ask(self, method, path, body=None, status=200):
        """The JSON of an answer that must have this status."""
        answer = self.send(method, path, body)
        assert answer.status_code == status, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json()

    def create(self, path, top, fields):
        """The id of a new resource."""
        return self.ask("POST", path, {top: fields}, 201)["data"]["id"]


@contextmanager
def database():
    """The arguments that name a new database: on the server of `LATCHKEY_TEST_DATABASE`, else of SQLite."""
    admin = os.environ.get("LATCHKEY_TEST_DATABASE")
    if not admin:
        yield []
        return
    url = urlsplit(admin)
    name = f"latchkey_document_{uuid.uuid4().hex}"
    where = dict(user=url.username, password=url.password, host=url.hostname, port=url.port, database=url.path[1:])
    server = pg8000.native.Connection(**where)
    server.run(f"create database {name} template template0 encoding 'UTF8' locale 'C'")
    try:
        yield ["--database-url", urlunsplit(url._replace(path=f"/{name}"))]
    finally:
        server.run(f"drop database {name} with (force)")
        server.close()


@contextmanager
def running():
    """A program with the demo's data, stopped at the end. What it logs is shown when it logged a fault."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
    with database() as where, tempfile.TemporaryFile() as log:
        command = [BINARY, "demo", "--listen", "127.0.0.1:0", "--sqlite-synchronous", "normal", *where]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=settings, text=True)
        try:
            said = "".join(line for _, line in zip(range(4), process.stdout))
            found = re.search(r"user-api-key: (\S+)' (http://\S+)/api/v1", said)
            if not found:
                process.wait(10)
                log.seek(0)
                raise AssertionError(f"the demo does not start: {said}{log.read().decode()}")
            yield Program(found[2], found[1])
        finally:
            ended = process.poll()
            process.terminate()
            process.wait(30)
            process.stdout.close()
        assert ended is None, f"the program ended by itself: {ended}"
        log.seek(0)
        faults = [line for line in log.read().decode().splitlines() if "ERROR latchkey" in line or "panicked" in line]
        assert not faults, "\n".join(faults)
