"""Exposure searches inside an incident: what they read and keep, who may, and that the secret stays nowhere."""

from __future__ import annotations

import base64
import io
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.app import exposure_results as results
from holdfast.app.exposures import Running, Wanted
from holdfast.engines.exposure import hardening
from holdfast.kernel.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    HoldfastError,
    NotFoundError,
    RefusedError,
)
from holdfast.kernel.secrets import SecretValue, fingerprint
from tests.house import House, open_house
from tests.unit.app.exposure_house import captured_folder, files_with, finished, handed_in, searched, searching_house
from tests.unit.app.plain_search import BROKEN

TOKEN = "ghp_" + "0123456789abcdefABCDEF0123456789abcd"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the whole installation."""
    return tmp_path_factory.mktemp("exposures")


@pytest.fixture(scope="module")
def house(installation: Path) -> Iterator[House]:
    with searching_house(installation) as found:
        yield found


@pytest.fixture
def secret() -> str:
    """A secret that nobody ever had."""
    return "kq9-" + secrets.token_urlsafe(30)


def test_captured_items_are_searched_and_the_report_is_an_item_that_a_pack_would_carry(
    house: House, secret: str
) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=f"one\ntoken={secret}\n".encode())
    other = house.collect(incident, body=b"nothing of the kind\n")
    found = searched(house, incident, secret, item, other, visibility={item: "public"})
    assert [(hit.target, hit.path, hit.line) for hit in found.report.hits] == [(f"{item} app.log", "app.log", 2)]
    assert [(one.target, one.complete, one.visibility) for one in found.report.targets] == [
        (f"{item} app.log", True, "public"),
        (f"{other} app.log", True, "unknown"),
    ]
    assert found.report.complete
    state = house.app.states.incident(incident)
    assert found.item.source == results.SOURCE
    assert found.item.kind == "folder_manifest"
    assert state.evidence.items[item].views == 1
    assert state.evidence.items[other].views == 1
    for name in results.FILES:
        assert results.file(house.app.vault, state, found.item.id, name)


def test_what_was_found_is_an_entry_of_the_timeline_with_counts_and_a_fingerprint(house: House, secret: str) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=f"{secret} {secret}".encode())
    found = searched(house, incident, secret, item)
    event = house.events(incident)[-1]
    assert event.type == "exposure.searched"
    assert event.actor.id == "ada"
    assert event.data == {
        "evidence_id": found.item.id,
        "sha256": found.item.sha256,
        "made": "here",
        "secrets": [fingerprint(secret.encode(), house.app.secret_key)],
        "targets": 1,
        "outcome": "complete",
        "faults": 0,
        "hits": 2,
        "by_class": {"exact": 2},
        "places": 1,
        "still": 1,
        "exposed_at": None,
        "basis": "unknown",
        "proof": None,
    }
    assert house.types(incident)[-2] == "evidence.collected"


def test_the_secret_is_in_no_database_file_or_log(
    house: House, secret: str, installation: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=b"a log without it\n")
    with caplog.at_level("DEBUG"):
        searched(house, incident, secret, item, label="AWS key of payments")
    house.app.states.forget()
    raw = secret.encode()
    spellings = (raw, base64.b64encode(raw), raw.hex().encode(), raw[::-1], raw[:12], raw[-12:])
    assert files_with(installation, *spellings) == []
    said = caplog.text + "".join(capfd.readouterr())
    assert not any(one.decode() in said for one in spellings)


def test_where_the_evidence_holds_the_secret_nothing_else_comes_to_hold_it(
    house: House, secret: str, installation: Path
) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=f"key={secret}\n".encode())
    before = files_with(installation, secret.encode())
    assert len(before) == 1
    searched(house, incident, secret, item)
    assert files_with(installation, secret.encode()) == before


def test_a_captured_folder_is_laid_out_under_its_names_and_its_names_are_searched_too(
    house: House, secret: str, tmp_path: Path
) -> None:
    incident = house.commanded()
    folder = tmp_path / "export"
    (folder / "runs" / "one").mkdir(parents=True)
    (folder / "runs" / "one" / "log.txt").write_text(f"deploy {secret}\n")
    (folder / f"backup-{secret}.txt").write_text("nothing in it\n")
    item = captured_folder(house, incident, folder)
    found = searched(house, incident, secret, item)
    places = [place.name for place in found.places]
    assert "export/runs/one/log.txt" in places
    assert "manifest.json" in places
    assert not any("scratch" in name for name in places)
    assert not list((house.app.settings.data / "exposures" / "scratch").iterdir())


def test_what_could_not_be_captured_or_read_makes_the_search_incomplete(
    house: House, secret: str, tmp_path: Path
) -> None:
    incident = house.commanded()
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / BROKEN).write_bytes(b"half an archive")
    item = captured_folder(house, incident, folder)
    found = searched(house, incident, secret, item)
    assert not found.report.complete
    assert [(fault.where, fault.reason) for fault in found.report.faults] == [(f"export/{BROKEN}", "truncated")]
    assert found.headline.startswith("Found nowhere so far in 1 target")
    assert house.events(incident)[-1].data["outcome"] == "incomplete"


def test_an_incomplete_capture_is_never_searched_completely(house: House, secret: str) -> None:
    incident = house.commanded()
    sha256, size = house.app.upload(incident, house.viewer("ada"), io.BytesIO(b"half of it"))
    fields = {"sha256": sha256, "size": size, "kind": "log", "name": "app.log", "shortfalls": ["interrupted"]}
    item = house.do("ada", "evidence-add", incident, **fields).result["evidence_id"]
    found = searched(house, incident, secret, item)
    assert not found.report.complete
    assert found.report.faults[0].reason == "the capture is incomplete (interrupted)"
    assert not found.report.targets[0].complete


def test_folders_that_the_administrator_allowed_are_searched(house: House, secret: str, installation: Path) -> None:
    incident = house.commanded()
    place = installation / "mirrors" / "payments"
    place.mkdir()
    (place / "settings.py").write_text(f"KEY = '{secret}'\n")
    running = finished(house, incident, Wanted(SecretValue(secret), paths=(str(place),)))
    assert running.error is None
    found = house.app.exposure_searches().latest(house.app.states.incident(incident))
    assert found is not None
    assert [(hit.target, hit.path) for hit in found.report.hits] == [(str(place), "settings.py")]
    assert house.app.exposure_searches().offered(house.viewer("ada"), house.app.states.incident(incident)) == (
        str(place),
    )


def test_a_path_that_leads_out_of_the_allowed_folders_is_refused_whatever_way_it_goes(
    house: House, secret: str, installation: Path
) -> None:
    incident = house.commanded()
    outside = installation / "outside"
    outside.mkdir()
    (outside / "file").write_text(secret)
    allowed = installation / "mirrors"
    (allowed / "link").symlink_to(outside)
    (allowed / "loop").symlink_to(allowed / "loop")
    for path in (
        str(outside),
        f"{allowed}/../outside",
        f"{allowed}/link",
        f"{allowed}/link/file",
        f"{allowed}/loop",
        f"{allowed}/nothing-here",
        f"{allowed}-beside",
        "mirrors",
        "/",
        f"/{secret}",
    ):
        with pytest.raises(RefusedError, match="not below a folder that the administrator allowed") as refused:
            house.app.exposure_searches().start(
                incident, house.viewer("ada"), Wanted(SecretValue(secret), paths=(path,))
            )
        assert secret not in f"{refused.value} {refused.value.next_step} {refused.value.details}"
    assert house.types(incident)[-1] != "exposure.searched"


def test_without_the_setting_no_path_is_allowed(tmp_path: Path, secret: str) -> None:
    with open_house(tmp_path) as house:
        incident = house.commanded()
        with pytest.raises(RefusedError):
            house.app.exposure_searches().start(
                incident, house.viewer("ada"), Wanted(SecretValue(secret), paths=(str(tmp_path),))
            )


def test_one_search_at_a_time(house: House, secret: str) -> None:
    incident = house.commanded()
    item = house.collect(incident)
    searches = house.app.exposure_searches()
    searches._running[incident] = Running("ben", house.clock(), percent=40)
    with pytest.raises(ConflictError, match="ben started one that is at 40 %"):
        searches.start(incident, house.viewer("ada"), Wanted(SecretValue(secret), (item,)))


def test_without_a_target_or_with_an_item_that_is_not_there_nothing_is_started(house: House, secret: str) -> None:
    incident = house.commanded()
    searches = house.app.exposure_searches()
    with pytest.raises(BadInputError, match="No target was named"):
        searches.start(incident, house.viewer("ada"), Wanted(SecretValue(secret)))
    with pytest.raises(NotFoundError):
        searches.start(incident, house.viewer("ada"), Wanted(SecretValue(secret), ("ev-7",)))
    assert searches.running(incident) is None


def test_who_may_not_add_evidence_may_not_search_and_who_may_not_see_the_incident_finds_none(
    house: House, secret: str
) -> None:
    incident = house.commanded()
    item = house.collect(incident)
    for account in ("eye", "aud"):
        with pytest.raises(ForbiddenError):
            house.app.exposure_searches().start(incident, house.viewer(account), Wanted(SecretValue(secret), (item,)))
        with pytest.raises(ForbiddenError):
            handed_in(house, incident, account=account)
    hidden = house.commanded(sensitivity="restricted")
    for account in ("out", "eye"):
        with pytest.raises(NotFoundError):
            house.app.exposure_searches().start(hidden, house.viewer(account), Wanted(SecretValue(secret), (item,)))
        with pytest.raises(NotFoundError):
            handed_in(house, hidden, account=account)
    assert house.app.exposure_searches().latest(house.app.states.incident(incident)) is None


def test_a_search_that_breaks_unforeseen_says_so_and_keeps_nothing(
    house: House, secret: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = house.commanded()
    item = house.collect(incident)

    def broken() -> Any:
        raise OSError(f"a message that holds {secret}")

    with monkeypatch.context() as patched:
        patched.setattr(house.app.exposure_searches(), "means", broken)
        running = finished(house, incident, Wanted(SecretValue(secret), (item,)))
    assert isinstance(running.error, HoldfastError)
    assert running.error.code == "exposure-search-broke"
    assert secret not in f"{running.error} {running.error.details} {caplog.text}"
    assert house.app.exposure_searches().running(incident) is running
    assert "exposure.searched" not in house.types(incident)


def git(*arguments: str) -> None:
    """Run git without anybody's configuration."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@acme.example", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], check=True, env=environment, capture_output=True)


def test_a_captured_repository_is_searched_through_its_history_with_the_engines_of_the_installation(
    tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardening, "no_core_dumps", lambda: True)  # of this process, which goes on with other tests
    monkeypatch.setattr(hardening, "no_tracebacks", lambda: None)
    repository = tmp_path / "payments"
    git("init", str(repository))
    settings = repository / "settings.py"
    settings.write_text(f"KEY = '{secret}'\n")
    git("-C", str(repository), "add", ".")
    git("-C", str(repository), "commit", "-m", "first")
    settings.write_text("KEY = os.environ['KEY']\n")
    git("-C", str(repository), "commit", "-am", "read it from the environment")
    encoded = base64.b64encode(secret.encode()).decode()
    with open_house(tmp_path / "house") as house:
        incident = house.commanded()
        item = captured_folder(house, incident, repository)
        log = house.collect(incident, body=f"auth: {encoded}\n".encode())
        held = files_with(tmp_path / "house", secret.encode(), encoded.encode(), settings.read_bytes())
        found = searched(house, incident, secret, item, log, visibility={item: "public"})
        assert files_with(tmp_path / "house", secret.encode(), encoded.encode(), settings.read_bytes()) == held
    assert found.report.complete, found.report.faults
    (old,) = [place for place in found.places if place.touch is not None]
    assert (old.name, old.still, old.visibility, old.basis) == ("settings.py", "history", "public", "committed")
    assert old.touch is not None
    assert old.touch.author == "Ann <ann@acme.example>"
    (line,) = [place for place in found.places if place.target.startswith(log)]
    assert (line.classes, line.forms) == (("encoded",), ("base64",))
    assert not any("scratch" in text for text in found.report.lines())


def test_many_hits_in_one_file_are_one_place(house: House, secret: str) -> None:
    incident = house.commanded()
    item = house.collect(incident, body=b"\n".join([secret.encode()] * 500))
    found = searched(house, incident, secret, item)
    assert len(found.report.hits) == 500
    assert len(found.places) == 1
