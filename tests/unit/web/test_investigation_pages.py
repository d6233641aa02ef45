"""The investigation's pages and routes: answers, the merged timeline, questions in SQL, and forged results."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest

from holdfast.app import investigation_results as results
from holdfast.app.inquiries import Wanted
from holdfast.evidence.manifests import FolderEntry, Member, Span, folder_manifest
from holdfast.kernel.canonical import canonical
from tests.house import Api, House, open_house, served
from tests.unit.app.test_inquiries import KEY, record, trail

SCRIPT = '"><script>alert(1)</script><svg onload=alert(2)><img src=x onerror=alert(3)>'


@dataclass
class Site:
    """A house with one incident that was investigated, one that was not, and a hidden one that was."""

    house: House
    api: Api
    incident: str
    bare: str
    hidden: str
    result: str

    def get(self, path: str, who: str = "ada", incident: str = "") -> httpx.Response:
        return self.api.request("GET", f"/incidents/{incident or self.incident}{path}", headers=self.house.headers(who))

    def call(self, method: str, path: str, who: str = "ada", incident: str = "", **more: Any) -> httpx.Response:
        place = f"/api/v1/incidents/{incident or self.incident}{path}"
        return self.api.request(method, place, headers=self.house.headers(who), **more)

    def ask(self, fields: Mapping[str, str], who: str = "ada", incident: str = "") -> httpx.Response:
        """Send the form of the page for SQL as it is drawn for this person."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.get("/sql", who, incident).text)
        data = {"csrf": token[1] if token else "", **fields}
        place = f"/incidents/{incident or self.incident}/sql"
        return self.api.request("POST", place, headers=self.house.headers(who), data=data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_house(tmp_path_factory.mktemp("inquiry")) as house, served(house) as api:
        told = [record(1, "CreateAccessKey"), record(2, "ListUsers"), record(3, "DeleteTrail"), record(4, SCRIPT)]
        found = {}
        for name, more in (("incident", {}), ("hidden", {"sensitivity": "restricted", "codename": "GREY HERON"})):
            found[name] = house.commanded(**more)
            house.collect(found[name], body=trail(*told))
            ran = house.app.investigations().run(found[name], house.viewer("ada"), Wanted(subjects=(KEY,)))
            found.setdefault("result", ran["evidence_id"])
        yield Site(house, api, bare=house.commanded(), **found)


def text(html: str) -> str:
    """What a reader sees of the page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def test_the_page_says_each_sentence_and_where_to_go_on(site: Site) -> None:
    html = site.get("/investigation").text
    told = results.read(site.house.app.vault, site.house.app.states.incident(site.incident), site.result)
    shown = text(html)
    for answer in told["answers"].values():
        assert " ".join(answer["sentence"].split()) in shown
    assert f'href="/incidents/{site.incident}/investigation/timeline"' in html
    assert f'href="/incidents/{site.incident}/sql"' in html


def test_a_reason_for_doubt_is_said_once_in_an_answer_with_all_it_holds_for(site: Site) -> None:
    told = results.read(site.house.app.vault, site.house.app.states.incident(site.incident), site.result)
    doubts = [one for one in told["answers"]["I5"]["findings"] if one["standing"] == "cannot_tell"]
    assert doubts
    html = site.get("/investigation").text
    answer = html.partition('id="told-I5"')[2].partition('id="question-I6"')[0]
    behind = text(answer.partition('<dl class="doubts">')[2].partition("</dl>")[0])
    assert "Cannot tell (" not in behind
    for one in doubts:
        assert behind.count(one["title"]) == 1
        assert behind.count(one["sentence"].partition("): ")[2]) == 1


def test_names_from_logs_are_shown_and_never_run(site: Site) -> None:
    for path in ("/investigation", "/investigation/timeline"):
        html = site.get(path).text
        assert "<script>alert" not in html
        assert "<svg onload" not in html
        assert "<img" not in html
    asked = site.ask({"sql": "SELECT operation FROM activity ORDER BY row_id"}).text
    assert "<script>alert" not in asked
    assert SCRIPT in unescape(asked)


def test_the_timeline_tells_of_logs_and_of_the_incident_itself(site: Site) -> None:
    html = site.get("/investigation/timeline").text
    shown = text(html)
    assert "aws.cloudtrail" in shown
    assert "the incident's record" in shown
    assert "<svg" in html
    assert 'href="/incidents/' + site.incident + '/evidence/ev-1"' in html
    for name in ("timeline.csv", "timeline.jsonl"):
        assert f"/investigation/{site.result}/{name}" in html


def test_the_timeline_is_filtered_by_kind_source_words_actor_and_time(site: Site) -> None:
    def entries(query: str) -> str:
        return text(site.get(f"/investigation/timeline?{query}").text.partition('id="entries"')[2])

    assert "aws.cloudtrail" not in entries("kind=incident")
    assert "aws.cloudtrail" in entries("source=aws.cloudtrail")
    assert "declared" not in entries("source=aws.cloudtrail").lower()
    assert "No entry fits" in entries("kind=lead&words=nothing+of+the+kind")
    assert "No entry fits" in entries("kind=lead&actor=nobody")
    assert "No entry fits" in entries("from=2031-01-01T00:00Z")
    assert "No entry fits" not in entries("to=2026-11-23T03:00Z")


def test_hiding_gaps_is_said_and_a_time_that_is_none_is_pointed_at(site: Site) -> None:
    assert "Gaps are filtered out" in site.get("/investigation/timeline?kind=lead").text
    wrong = site.get("/investigation/timeline?from=yesterday")
    assert wrong.status_code == 200
    assert "This is not a time" in wrong.text
    assert 'value="yesterday"' in wrong.text


def test_pages_of_the_timeline_follow_one_another_without_loss(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.web.pages.merged.PAGE", 3)
    seen, path = 0, "/investigation/timeline"
    total = site.call("GET", "/investigation/timeline").json()["total"]
    for _ in range(total):
        html = site.get(path).text
        seen += html.partition('<ol class="timeline">')[2].count("entry-when")
        onward = re.search(r'href="([^"]+)">Later entries', html)
        if onward is None:
            break
        path = unescape(onward[1]).removeprefix(f"/incidents/{site.incident}").partition("#")[0]
    assert seen == total > 3


def test_the_api_pages_and_filters_the_timeline(site: Site) -> None:
    first = site.call("GET", "/investigation/timeline", params={"limit": 2}).json()
    second = site.call("GET", "/investigation/timeline", params={"limit": 2, "after": first["next"]}).json()
    assert len(first["entries"]) == len(second["entries"]) == 2
    assert first["entries"] != second["entries"]
    narrowed = site.call("GET", "/investigation/timeline", params={"to": "2026-11-23T03:00:00Z"}).json()
    assert 0 < narrowed["total"] < first["total"]
    assert site.call("GET", "/investigation/timeline", params={"kind": "rumour"}).status_code == 422
    assert site.call("GET", "/investigation/timeline", params={"limit": 501}).status_code == 422


def test_sql_typed_on_the_page_is_answered_and_kept(site: Site) -> None:
    asked = "SELECT operation, error FROM activity WHERE operation = 'ListUsers'"
    done = site.ask({"sql": asked})
    assert done.status_code == 200
    assert "1 row" in text(done.text)
    assert "ListUsers" in text(done.text.partition('id="answer"')[2])
    assert asked in unescape(done.text)


def test_an_answer_that_is_cut_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.web.pages.asking.ROWS", 2)
    assert "There is more than is shown here" in site.ask({"sql": "SELECT row_id FROM activity"}).text


def test_a_saved_question_asks_for_its_parameters_and_answers(site: Site) -> None:
    drawn = site.get("/sql?saved=credential_timeline").text
    assert 'name="p-credential"' in drawn
    sql = unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", drawn, re.DOTALL)[1])  # type: ignore[index]
    done = site.ask({"sql": sql, "saved": "credential_timeline", "p-credential": KEY, "p-left_over": "x"})
    assert "4 rows" in text(done.text)
    assert f'value="{KEY}"' in done.text
    none = site.ask({"sql": sql, "saved": "credential_timeline", "p-credential": "' OR 1=1 --"})
    assert "No row fits the question" in none.text


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM activity", "sql-not-allowed"),
        ("SELECT * FROM read_csv('/etc/passwd')", "sql-not-allowed"),
        ("SELECT 1; SELECT 2", "sql-not-allowed"),
        ("COPY activity TO '/tmp/x.csv'", "sql-not-allowed"),
        ("SELECT no_such_column FROM activity", "sql-not-valid"),
        ("   ", "question-empty"),
    ],
)
def test_a_question_that_is_refused_says_why_and_keeps_what_was_typed(site: Site, sql: str, code: str) -> None:
    done = site.ask({"sql": sql})
    assert done.status_code in (400, 422)
    assert f"<code>{code}</code>" in done.text
    assert "Next:" in text(done.text)
    assert sql in unescape(done.text)
    if sql.strip():
        assert site.call("POST", "/sql", json={"sql": sql}).json()["code"] == code


def test_a_form_from_elsewhere_asks_nothing(site: Site) -> None:
    for place in ("sql", "investigation/run"):
        answer = site.api.request(
            "POST", f"/incidents/{site.incident}/{place}", headers=site.house.headers("ada"), data={"sql": "SELECT 1"}
        )
        assert answer.status_code == 403
        assert "form-expired" in answer.text


def test_before_the_first_run_the_pages_say_how_to_make_one(site: Site) -> None:
    assert f"holdfast investigate --incident {site.bare}" in text(site.get("/sql", incident=site.bare).text)
    assert "Nothing was investigated yet" in site.get("/investigation/timeline", incident=site.bare).text
    assert site.call("POST", "/sql", incident=site.bare, json={"sql": "SELECT 1"}).json()["code"] == "no-activity-table"
    assert site.call("GET", "/sql", incident=site.bare).json()["tables"] == []
    assert "activity" in site.call("GET", "/sql").json()["tables"]


@pytest.mark.parametrize("who", ["out", "eye", "aud"])
def test_of_a_hidden_incident_outsiders_learn_nothing(site: Site, who: str) -> None:
    for path in ("/investigation", "/investigation/timeline", "/sql"):
        assert site.get(path, who, site.hidden).status_code == 404
        assert site.call("GET", path, who, site.hidden).status_code == 404
    assert site.call("POST", "/sql", who, site.hidden, json={"sql": "SELECT 1"}).status_code == 404
    assert site.call("POST", "/investigation", who, site.hidden, json={}).status_code == 404
    assert site.call("GET", f"/investigation/{site.result}/answers.json", who, site.hidden).status_code == 404


def test_who_may_run_and_ask_is_what_the_table_of_acts_says(site: Site) -> None:
    assert site.call("POST", "/investigation", "eye", json={}).status_code == 403
    assert 'action="/incidents/' + site.incident + '/investigation/run"' not in site.get("/investigation", "eye").text
    for who in ("eye", "aud"):
        may = site.call("POST", "/sql", who, json={"sql": "SELECT 1"}).status_code == 200
        seen = site.call("GET", f"/investigation/{site.result}/answers.json", who).status_code == 200
        assert may == seen
        assert ('id="ask"' in site.get("/sql", who).text) == may


def test_a_file_that_is_none_of_a_result_is_not_given_out(site: Site) -> None:
    assert site.call("GET", "/investigation/ev-1/answers.json").status_code == 404
    assert site.call("GET", "/investigation/ev-999/answers.json").status_code == 404
    assert site.call("GET", f"/investigation/{site.result}/entries.json").status_code == 422
    picture = site.call("GET", f"/investigation/{site.result}/timeline.svg")
    assert picture.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in picture.headers["content-security-policy"]


def swapped(value: Any) -> Any:
    """The same value with markup in every free text; instants and words of a fixed set stay."""
    if isinstance(value, dict):
        kept = ("standing", "grade", "format", "kind", "as_of", "from", "to", "sha256", "item", "evidence_class")
        return {name: one if name in kept else swapped(one) for name, one in value.items()}
    if isinstance(value, list):
        return [swapped(one) for one in value]
    return value + SCRIPT if isinstance(value, str) and not re.match(r"^\d{4}-\d\d-\d\dT", value) else value


def forge(house: House, incident: str, files: Mapping[str, bytes]) -> str:
    """A folder that says it is the result of an investigation, as one from elsewhere would be (a restored record)."""
    viewer = house.viewer("ben")
    members = [
        FolderEntry(name.encode(), 0o100644, 0, Member(*house.app.upload(incident, viewer, io.BytesIO(body))))
        for name, body in sorted(files.items())
    ]
    manifest = canonical(folder_manifest("investigation", members, Span(house.clock(), house.clock(), "test", "1")))
    sha256, size = house.app.upload(incident, viewer, io.BytesIO(manifest))
    fields = {"sha256": sha256, "size": size, "kind": "folder_manifest", "manifest": sha256, "source": "investigation"}
    house.app.tools.own_results.add(sha256)
    house.do("ben", "evidence-add", incident, name="investigation", **fields)
    house.app.tools.own_results.discard(sha256)
    return max(house.app.states.incident(incident).evidence.items, key=lambda name: int(name[3:]))


def test_a_forged_result_with_markup_in_every_field_is_words_and_nothing_more(site: Site) -> None:
    vault, state = site.house.app.vault, site.house.app.states.incident(site.incident)
    names = (results.RESULT, results.PICTURES, results.ENTRIES)
    files = {
        name: json.dumps(swapped(json.loads(results.file(vault, state, site.result, name)))).encode() for name in names
    }
    incident = site.house.commanded()
    forged = forge(site.house, incident, {**files, "timeline.svg": f"<svg>{SCRIPT}</svg>".encode()})
    for path in ("/investigation", "/investigation/timeline", "/sql", f"/evidence/{forged}"):
        page = site.get(path, incident=incident)
        assert page.status_code == 200, (path, text(page.text)[:600])
        assert not re.search(r"<script>alert|<svg onload|<img src=x", page.text), path
    assert SCRIPT in unescape(site.get("/investigation", incident=incident).text)
    picture = site.call("GET", f"/investigation/{forged}/timeline.svg", incident=incident)
    assert picture.headers["content-security-policy"].startswith("default-src 'none'")
    assert picture.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"answers.json": b"not json"},
        {"answers.json": b"[]"},
        {"answers.json": b'{"format": "holdfast-investigation/1"}'},
    ],
    ids=["empty", "not JSON", "a list", "bare"],
)
def test_a_folder_that_only_calls_itself_a_result_hides_no_page_and_stops_no_run(
    site: Site, files: Mapping[str, bytes]
) -> None:
    incident = site.house.commanded()
    forge(site.house, incident, files)
    for path in ("/investigation", "/investigation/timeline"):
        page = site.get(path, incident=incident)
        assert page.status_code == 200, path
    assert site.call("GET", "/investigation", incident=incident).json()["result"] is None
    site.house.collect(incident, body=trail(record(1, "ListUsers")))
    told = site.house.app.investigations().run(incident, site.house.viewer("ada"), Wanted())
    assert site.call("GET", "/investigation", incident=incident).json()["evidence_id"] == told["evidence_id"]
