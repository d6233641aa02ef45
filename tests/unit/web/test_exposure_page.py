"""The Exposure page and its API: what they say, what they take, and that a typed secret is never shown again."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.exposure.report import Named, Report, Searched
from tests.house import Api, House, open_house, served
from tests.unit.app.plain_search import plain_means
from tests.unit.exposure import world

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@dataclass
class Site:
    """An installation with an incident that has a report, a bare one, and a hidden one with a report."""

    house: House
    api: Api
    folder: Path
    incident: str
    bare: str
    hidden: str
    result: str

    def get(self, path: str = "", who: str = "ada", incident: str = "") -> httpx.Response:
        place = f"/incidents/{incident or self.incident}/exposure{path}"
        return self.api.request("GET", place, headers=self.house.headers(who))

    def call(self, method: str, path: str = "", who: str = "ada", incident: str = "", **more: Any) -> httpx.Response:
        place = f"/api/v1/incidents/{incident or self.incident}/exposure{path}"
        return self.api.request(method, place, headers=self.house.headers(who), **more)

    def post(self, fields: dict[str, Any], who: str = "ada", incident: str = "", token: str = "") -> httpx.Response:
        """Send the form of the page as it is drawn for this person."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("", who, incident).text)
        data = {"csrf": token or (found[1] if found else ""), **fields}
        place = f"/incidents/{incident or self.incident}/exposure/search"
        return self.api.request("POST", place, headers=self.house.headers(who), data=data)

    def finish(self, incident: str) -> None:
        """Wait for the search of an incident."""
        for thread in threading.enumerate():
            if thread.name == f"exposure-{incident}":
                thread.join(60)


def body(report: Report = world.REPORT) -> bytes:
    return "".join(report.lines()).encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("exposure")
    (folder / "mirrors" / "payments").mkdir(parents=True)
    with open_house(folder, HOLDFAST_EXPOSURE_ROOTS=str(folder / "mirrors")) as house, served(house) as api:
        house.app.exposure_searches().means = plain_means
        house.app.exposure_searches().shield = lambda _secrets, _spellings: None
        found = {
            "incident": house.commanded(),
            "hidden": house.commanded(sensitivity="restricted", codename="GREY HERON"),
        }
        site = Site(house, api, folder, bare=house.commanded(), result="", **found)
        for incident in found.values():
            site.result = site.call("POST", "/report", incident=incident, content=body()).json()["evidence_id"]
        yield site


@pytest.fixture
def secret() -> str:
    return "kq9-" + secrets.token_urlsafe(30)


def text(html: str) -> str:
    """What a reader sees of the page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def test_the_page_says_where_since_when_what_is_left_and_what_to_do(site: Site) -> None:
    html = site.get().text
    shown = text(html)
    assert "In 2 repositories, 1 file, 1 image layer, 1 message and 1 piece; still at the head of main" in shown
    assert "handed in by ada" in shown
    assert "Begin at 2 Nov 2026, 14:03 UTC, proven by the host's log of the push" in shown
    for words in ("Revoke or rotate the secret", "Clean the places", "Look again", "dm/2026-11-12.json"):
        assert words in shown
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in html
    assert "None of this counts as clean" in shown
    assert f'href="/incidents/{site.incident}/exposure" data-go="x" aria-current="page"' in html


def test_before_the_first_search_the_page_says_how_to_make_one(site: Site) -> None:
    shown = text(site.get(incident=site.bare).text)
    assert "Nobody has searched yet where the secret got to" in shown
    assert f"holdfast exposure search --incident {site.bare} TARGET" in shown
    assert site.call("GET", incident=site.bare).json() == {
        "result": None, "results": [], "running": None, "failed": None,
    }  # fmt: skip


def test_places_are_filtered_by_words_by_who_could_read_them_and_by_whether_they_are_there(site: Site) -> None:
    def rows(query: str) -> str:
        return text(site.get(f"?{query}").text.partition('id="places"')[2].partition('id="searched"')[0])

    assert "config/settings.py" in rows("")
    assert "config/settings.py" not in rows("words=values.yaml")
    assert "deploy/values.yaml" in rows("words=VALUES")
    assert "1 of 8 fit" in rows("still=unreachable")
    assert "config/settings.py" not in rows("visibility=internal")
    assert "No place fits" in rows("words=nothing+of+the+kind")


def test_a_search_that_is_started_on_the_page_runs_and_its_result_is_shown(site: Site, secret: str) -> None:
    incident = site.house.commanded()
    item = site.house.collect(incident, body=f"x {secret} y".encode())
    done = site.post(
        {"secret": f" {secret}\n", "items": item, f"visibility-{item}": "public", "label": "test key"},
        incident=incident,
    )
    assert done.status_code == 303
    assert done.headers["location"] == f"/incidents/{incident}/exposure#exposure"
    site.finish(incident)
    shown = text(site.get(incident=incident).text)
    assert "In 1 file" in shown
    assert "test key" in shown
    assert secret not in site.get(incident=incident).text
    told = site.call("GET", incident=incident).json()["result"]
    assert told["places"][0]["visibility"] == "public"


def test_a_refused_form_keeps_what_was_chosen_and_never_the_secret(site: Site, secret: str) -> None:
    item = site.house.collect(site.incident, body=b"nothing")
    outside = str(site.folder)
    fields = {
        "secret": secret,
        "items": item,
        f"visibility-{item}": "internal",
        "label": "a key",
        "more_paths": outside,
    }
    done = site.post(fields)
    assert done.status_code == 409
    assert "exposure-target-refused" in done.text
    assert f'value="{item}" checked' in done.text
    assert 'value="a key"' in done.text
    assert secret not in done.text
    wrong = site.post({"secret": secret, "items": "ev-x"})
    assert wrong.status_code == 422
    assert secret not in wrong.text
    stale = site.post({"secret": secret, "items": item}, token="of another session")
    assert stale.status_code == 403
    assert secret not in stale.text


def test_the_field_of_the_secret_is_a_password_that_nothing_fills_or_keeps(site: Site) -> None:
    site.house.collect(site.incident, body=b"nothing")
    field = re.search(r'<input id="exposure-secret"[^>]*>', site.get().text)
    assert field is not None
    assert 'type="password"' in field[0]
    assert 'autocomplete="off"' in field[0]
    assert "data-secret" in field[0]
    assert "value=" not in field[0]


def test_a_secret_sent_to_the_api_is_in_no_answer_whether_it_is_taken_or_refused(site: Site, secret: str) -> None:
    item = site.house.collect(site.incident, body=b"nothing")
    for fields, status in (
        ({"secret": secret, "items": [item]}, 202),
        ({"secret": secret}, 422),
        ({"secret": secret, "items": ["ev-x"]}, 422),
        ({"secret": secret, "items": [item], "label": "x" * 201}, 422),
        ({"secret": secret, "items": [item], "surprise": secret}, 422),
        ({"secret": [secret], "items": [item]}, 422),
        ({"secret": {"value": secret}, "items": [item]}, 422),
        ({"secret": secret * 5_000, "items": [item]}, 422),
        ({"secret": secret, "items": ["ev-99999"]}, 404),
        ({"secret": secret, "paths": ["/etc"]}, 409),
        ({"secret": secret, "paths": ["relative"]}, 422),
    ):
        done = site.call("POST", json=fields)
        site.finish(site.incident)
        assert done.status_code == status, done.text
        assert secret not in done.text
    broken = site.call("POST", content=f'{{"secret": "{secret}"'.encode(), who="ada")
    assert broken.status_code == 422
    assert secret not in broken.text
    assert secret not in site.call("GET").text


def test_nothing_of_a_secret_that_went_through_the_api_or_the_page_lands_in_a_file(
    site: Site, secret: str, capfd: pytest.CaptureFixture[str]
) -> None:
    incident = site.house.commanded()
    item = site.house.collect(incident, body=b"nothing")
    done = site.api.request(
        "POST",
        f"/api/v1/incidents/{incident}/exposure",
        headers={**site.house.headers("ada"), "Idempotency-Key": "0f0f-0f0f"},
        json={"secret": secret, "items": [item], "label": "AWS key"},
    )
    assert done.status_code == 202
    site.finish(incident)
    assert site.post({"secret": secret, "items": item}, incident=incident).status_code == 303
    site.finish(incident)
    site.call("POST", incident=incident, json={"secret": secret, "paths": ["/etc"]})
    needle = secret.encode()
    held = [path for path in site.folder.rglob("*") if path.is_file() and needle in path.read_bytes()]
    assert held == []
    assert secret not in "".join(capfd.readouterr())
    assert len(site.call("GET", incident=incident).json()["results"]) == 2


def test_the_api_starts_a_search_and_says_how_far_it_is(site: Site, secret: str) -> None:
    incident = site.house.commanded()
    place = site.folder / "mirrors" / "payments"
    (place / "key.txt").write_text(secret)
    done = site.call(
        "POST", incident=incident, json={"secret": secret, "paths": [str(place)], "visibility": {str(place): "public"}}
    )
    assert done.status_code == 202
    assert set(done.json()["running"] or {"by": 1}) >= {"by"}
    site.finish(incident)
    told = site.call("GET", incident=incident).json()
    assert told["running"] is None
    assert told["result"]["headline"] == "In 1 file; since when is not known."
    assert told["result"]["complete"]
    assert told["results"] == [told["result"]["evidence_id"]]


def test_a_report_is_handed_in_as_it_was_written_and_one_that_is_none_is_refused(site: Site) -> None:
    incident = site.house.commanded()
    taken = site.call("POST", "/report", "ben", incident=incident, content=body())
    assert taken.status_code == 201
    assert (taken.json()["made"], taken.json()["by"]) == ("elsewhere", "ben")
    refused = site.call("POST", "/report", "ben", incident=incident, content=b'{"kind": "hit"}\n')
    assert refused.status_code == 422
    assert refused.json()["code"] == "exposure-report-invalid"
    assert refused.json()["details"] == {"line": 1}


def test_a_report_larger_than_other_requests_may_be_is_taken(site: Site) -> None:
    incident = site.house.commanded()
    hits = tuple(
        replace(world.LOG, path=f"run/{number}/" + "x" * 900, start=number, end=number) for number in range(8_000)
    )
    report = Report(hits, (), (Searched("ci-logs"),), (Named(0, world.MARK),))
    assert len(body(report)) > 8 << 20
    taken = site.call("POST", "/report", incident=incident, content=body(report))
    assert taken.status_code == 201, taken.text[:300]
    page = site.get(incident=incident)
    assert "The 100 most urgent are shown" in text(page.text)
    assert len(page.text) < 1 << 20


def test_one_that_is_too_large_is_refused_while_it_comes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.web.api.exposures.MAX_BYTES", 1_000)
    refused = site.call("POST", "/report", content=body())
    assert refused.status_code == 413
    assert refused.json()["code"] == "exposure-report-too-large"


def test_files_of_a_report_are_given_out_and_the_viewing_is_recorded(site: Site) -> None:
    views = site.house.app.states.incident(site.incident).evidence.items[site.result].views
    lines = site.call("GET", f"/{site.result}/report.jsonl").text.splitlines()
    assert json.loads(lines[0]) == world.HEAD.as_json()
    rows = list(csv.reader(io.StringIO(site.call("GET", f"/{site.result}/places.csv").text)))
    assert len(rows) == 9
    assert site.call("GET", f"/{site.result}/summary.json").json()["headline"].startswith("In 2 repositories")
    assert "Revoke or rotate" in site.call("GET", f"/{site.result}/worklist.csv").text
    picture = site.call("GET", f"/{site.result}/exposure.svg")
    assert picture.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in picture.headers["content-security-policy"]
    assert site.house.app.states.incident(site.incident).evidence.items[site.result].views == views + 5
    assert site.call("GET", f"/{site.result}/manifest.json").status_code == 422
    assert site.call("GET", "/ev-99/places.csv").status_code == 404


@pytest.mark.parametrize("who", ["out", "eye", "aud"])
def test_of_a_hidden_incident_outsiders_learn_nothing(site: Site, who: str) -> None:
    assert site.get("", who, site.hidden).status_code == 404
    assert site.call("GET", "", who, site.hidden).status_code == 404
    assert site.call("POST", "", who, site.hidden, json={"secret": "x" * 20, "items": ["ev-1"]}).status_code == 404
    assert site.call("POST", "/report", who, site.hidden, content=body()).status_code == 404
    assert site.call("GET", f"/{site.result}/places.csv", who, site.hidden).status_code == 404
    assert site.post({"secret": "x" * 20}, who, site.hidden, token="x").status_code in (403, 404)


def test_who_may_search_is_what_the_table_of_acts_says(site: Site) -> None:
    for who in ("eye", "aud"):
        assert site.call("POST", "", who, json={"secret": "x" * 20, "items": ["ev-1"]}).status_code == 403
        assert site.call("POST", "/report", who, content=body()).status_code == 403
        page = site.get("", who).text
        assert 'id="exposure-search"' not in page
        assert str(site.folder / "mirrors") not in page
    assert site.call("GET", f"/{site.result}/places.csv", "eye").status_code == 403
    assert site.call("GET", f"/{site.result}/places.csv", "aud").status_code == 200
    read_only = {"Authorization": f"Bearer {site.house.token('ada', 'read')}"}
    place = f"/api/v1/incidents/{site.incident}/exposure"
    assert site.api.request("POST", place, headers=read_only, json={"secret": "x" * 20}).status_code in (403, 422)
    assert site.api.request("POST", f"{place}/report", headers=read_only, content=body()).status_code == 403


def test_names_from_a_report_are_shown_and_never_run(site: Site) -> None:
    incident = site.house.commanded()
    hit = replace(world.HEAD, target=SCRIPT, path=SCRIPT, about=(("x", SCRIPT),))
    report = replace(
        world.REPORT, hits=(hit,), targets=(Searched(SCRIPT, complete=False),),
        faults=(replace(world.FAULT, target=SCRIPT),), not_searched=(SCRIPT,), searched_forms=(SCRIPT,),
        secrets=(Named(0, world.MARK, SCRIPT),),
    )  # fmt: skip
    assert site.call("POST", "/report", incident=incident, content=body(report)).status_code == 201
    html = site.get(incident=incident).text
    assert not re.search(r"<script>alert|<img src=x", html)
    assert SCRIPT in unescape(html)


def test_the_page_offers_to_take_the_report_into_a_running_play(site: Site) -> None:
    incident = site.house.commanded()
    site.call("POST", "/report", incident=incident, content=body())
    assert "exposure-adopt" not in site.get(incident=incident).text
    play = site.house.do("ada", "play-start", incident, play="leaked-secret").result["play_id"]
    assert f"Take it into {play}, step LS2" in text(site.get(incident=incident).text)
    plays = site.api.request("GET", f"/incidents/{incident}/plays", headers=site.house.headers("ada")).text
    assert f'href="/incidents/{incident}/exposure">Search for it' in plays


def test_a_search_that_broke_says_so_on_the_page_and_on_the_api(
    site: Site, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = site.house.commanded()
    item = site.house.collect(incident)

    def broken() -> Any:
        raise OSError(secret)

    monkeypatch.setattr(site.house.app.exposure_searches(), "means", broken)
    assert site.call("POST", incident=incident, json={"secret": secret, "items": [item]}).status_code == 202
    site.finish(incident)
    told = site.call("GET", incident=incident).json()
    assert told["failed"]["code"] == "exposure-search-broke"
    page = site.get(incident=incident).text
    assert "nothing is known of what it did not reach" in text(page)
    assert secret not in page
