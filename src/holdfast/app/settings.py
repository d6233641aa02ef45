"""Settings: environment variables with defaults, declared once; the reference page is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.kernel.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    default: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting("HOLDFAST_DATA", "~/.local/share/holdfast", "Folder of the record, the evidence and their backups."),
    Setting(
        "HOLDFAST_KEYS",
        "~/.config/holdfast",
        "Folder of signing key, installation key and text keys, apart from the data.",
    ),
    Setting(
        "HOLDFAST_CACHE",
        "~/.cache/holdfast",
        "Folder of what can be made anew: mirrors, finished units and the index of exposure searches.",
    ),
    Setting("HOLDFAST_DATABASE", "", "postgresql://… for a shared record; empty for SQLite in the data folder."),
    Setting(
        "HOLDFAST_KEY_DATABASE", "", "postgresql://… for the keys of sealed texts; empty for SQLite in the key folder."
    ),
    Setting("HOLDFAST_URL", "http://localhost:8300", "Address people use; passkeys and links are bound to it."),
    Setting("HOLDFAST_LISTEN", "127.0.0.1:8300", "Address and port to listen on."),
    Setting(
        "HOLDFAST_EXPOSURE_ROOTS",
        "",
        "Folders of the server (: between them) below which an incident's exposure search may look; none if empty.",
    ),
    Setting(
        "HOLDFAST_PACKS",
        "",
        "On a machine of a Spark cluster: folder of packs, for those whose path does not exist there.",
    ),
    Setting("HOLDFAST_CALENDAR", "utc-weekdays", "Response calendar of new incidents, unless one is named."),
    Setting("HOLDFAST_MAX_OBJECT_BYTES", "107374182400", "Largest piece of evidence, in bytes."),
    Setting(
        "HOLDFAST_SERVER",
        "",
        "For the command line: the server to talk to; empty means the one logged in to, or this machine.",
    ),
    Setting("HOLDFAST_TOKEN", "", "For pipelines: the API token to use with HOLDFAST_SERVER."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one start."""

    data: Path
    keys: Path
    cache: Path
    database: str
    key_database: str
    url: str
    listen: tuple[str, int]
    calendar: str
    max_object_bytes: int
    server: str
    exposure_roots: tuple[Path, ...] = ()

    @property
    def host(self) -> str:
        """Host name of the public address."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def secure(self) -> bool:
        """Whether the public address is https, so that cookies are marked Secure."""
        return self.url.startswith("https://")


def load(environment: Mapping[str, str]) -> Settings:
    """The settings an environment says.

    Raises:
        BadInputError: one cannot be used, naming it.
    """
    values = {one.name: environment.get(one.name) or one.default for one in SETTINGS}
    host, _, port = values["HOLDFAST_LISTEN"].rpartition(":")
    parts = urlsplit(values["HOLDFAST_URL"])
    if not port.isdigit() or not host:
        raise _refused("HOLDFAST_LISTEN", "it is not ADDRESS:PORT")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused("HOLDFAST_URL", "it is not an http or https address")
    if not values["HOLDFAST_MAX_OBJECT_BYTES"].isdigit():
        raise _refused("HOLDFAST_MAX_OBJECT_BYTES", "it is not a whole number of bytes")
    return Settings(
        data=Path(values["HOLDFAST_DATA"]).expanduser(),
        keys=Path(values["HOLDFAST_KEYS"]).expanduser(),
        cache=Path(values["HOLDFAST_CACHE"]).expanduser(),
        database=values["HOLDFAST_DATABASE"],
        key_database=values["HOLDFAST_KEY_DATABASE"],
        url=values["HOLDFAST_URL"].rstrip("/"),
        listen=(host, int(port)),
        calendar=values["HOLDFAST_CALENDAR"],
        max_object_bytes=int(values["HOLDFAST_MAX_OBJECT_BYTES"]),
        server=values["HOLDFAST_SERVER"].rstrip("/"),
        exposure_roots=_roots(values["HOLDFAST_EXPOSURE_ROOTS"]),
    )


def _roots(text: str) -> tuple[Path, ...]:
    found = tuple(Path(one).expanduser() for one in text.split(":") if one.strip())
    if not all(one.is_absolute() for one in found):
        raise _refused("HOLDFAST_EXPOSURE_ROOTS", "a folder in it is not named from / on")
    return found


def _refused(name: str, why: str) -> BadInputError:
    return BadInputError(
        "setting-invalid",
        "Holdfast does not start.",
        why=f"The setting {name} cannot be used: {why}.",
        next_step="Correct it; every setting is described in docs/reference/settings.md",
    )
