"""An engine that only pretends: it keeps images by reference, has a registry of its own, and notes what it is asked."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, cast

import docker
import docker.errors
import docker.utils

PYTHON = {"python": "3.11.2", "machine": "x86_64", "libc": ["glibc", "2.36"]}
UNREACHABLE = "Get https://registry.example/v2/: dial tcp: lookup registry.example: no such host"


@dataclass(kw_only=True)
class Engine:
    """
    What it holds (reference -> labels), what its registry has, and what it has been asked to do.

    `failure` ends each build; `said_by_python` is what a base's Python answers; `imports_fail` is what an import answers.
    """

    images: dict[str, dict[str, str]] = field(default_factory=dict)
    registry: set[str] = field(default_factory=set)
    failure: str = ""
    imports_fail: str = ""
    runs_fail: str = ""
    said_by_python: Mapping[str, Any] = field(default_factory=lambda: PYTHON)
    import_archive: Callable[..., str] | None = None
    pulled: list[str] = field(default_factory=list)
    built: list[dict[str, Any]] = field(default_factory=list)
    contexts: list[dict[str, bytes]] = field(default_factory=list)
    imported: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0
    removed: list[tuple[str, dict[str, bool]]] = field(default_factory=list)
    ran: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def client(self) -> docker.DockerClient:
        """What the code under test takes for Docker's own client."""
        api = SimpleNamespace(
            pull=self._pull,
            build=self._build,
            import_image_from_file=lambda *given, **settings: (self.import_archive or self._import)(*given, **settings),
        )
        images = SimpleNamespace(get=self._get)
        return cast(
            "docker.DockerClient",
            SimpleNamespace(api=api, images=images, containers=SimpleNamespace(create=self._create)),
        )

    def hold(self, *references: str, **labels: str) -> None:
        """Have images."""
        self.images |= {reference: dict(labels) for reference in references}

    def _get(self, reference: str) -> Any:
        if reference not in self.images:
            raise docker.errors.ImageNotFound(f"No such image: {reference}")
        identity = hashlib.sha256((reference + json.dumps(self.images[reference])).encode()).hexdigest()
        digests = [f"{reference.partition(':')[0]}@sha256:{identity[::-1]}"] if reference in self.registry else []
        return SimpleNamespace(
            id=f"sha256:{identity}", labels=self.images[reference], attrs={"RepoDigests": digests}, tags=[reference]
        )

    def _pull(self, reference: str, *, stream: bool, decode: bool) -> Iterator[Mapping[str, Any]]:
        assert stream
        assert decode
        self.pulled.append(reference)
        if reference not in self.registry:
            raise docker.errors.APIError("500 Server Error", explanation=UNREACHABLE)
        yield {"status": "Pulling from library", "id": "latest"}
        for current in (1_000_000, 30_000_000):
            yield {"status": "Downloading", "id": "a", "progressDetail": {"current": current, "total": 30_000_000}}
        self.hold(reference)
        yield {"status": f"Status: Downloaded newer image for {reference}"}

    def _build(self, *, fileobj: IO[bytes], tag: str, labels: dict[str, str], **rest: Any) -> Iterator[dict[str, str]]:
        self.contexts.append(files_in(fileobj.read()))
        self.built.append({"tag": tag, **rest})
        yield {"stream": "Step 1/2 : FROM base\n"}
        if self.failure:
            yield {"stream": "ERROR: it went wrong here\n"}
            yield {"error": self.failure}
            return
        self.hold(tag, **labels)

    def _import(self, filename: str, *, repository: str, tag: str, changes: Sequence[str]) -> str:
        with tarfile.open(filename) as archive:
            members = {member.name: member for member in archive}
        self.imported.append({"reference": f"{repository}:{tag}", "changes": changes, "members": members})
        if self.imports_fail:
            return json.dumps({"status": "Importing"}) + "\n" + json.dumps({"error": self.imports_fail})
        labels = dict(line.removeprefix("LABEL ").split("=", 1) for line in changes if line.startswith("LABEL "))
        self.hold(f"{repository}:{tag}", **labels)
        return json.dumps({"status": "sha256:1"})

    def _create(self, reference: str, command: Sequence[str], **_: Any) -> Any:
        self.ran.append((reference, *command))
        if self.runs_fail:
            raise docker.errors.APIError("400 Client Error", explanation=self.runs_fail)
        return SimpleNamespace(
            start=lambda: None,
            wait=lambda **_: {"StatusCode": self.status},
            logs=lambda: json.dumps(self.said_by_python).encode(),
            remove=lambda **how: self.removed.append((reference, how)),
        )


def files_in(archive: bytes) -> dict[str, bytes]:
    """The files of an archive, by name."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: _content(tar, member) for member in tar if member.isfile()}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def script(path: Path, text: str) -> Path:
    """A program that a test puts somewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
