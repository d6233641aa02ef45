"""A person in a browser without JavaScript: pages are read, forms filled in, sent, and the redirect followed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.driver import Json, RefusedHere
from tests.acceptance.html_forms import CannotFillError, Form, Node, parse
from tests.acceptance.installation import PASSWORD, Installation


class PageSurface:
    """The pages, with a signed-in session for each person."""

    name = "page"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._clients = {
            name: httpx.Client(
                base_url=installation.url,
                headers={"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Site": "same-origin"},
                timeout=30,
            )
            for name in installation.seeds
        }
        self._signed_in: set[str] = set()
        self._before: tuple[str, str, str] | None = None
        """Who looks at which address, and the page: what the last form sent led to."""

    def close(self) -> None:
        """Let go of the connections."""
        for client in self._clients.values():
            client.close()

    def declare(self, person: str, **fields: Any) -> str:
        """The page for declaring; it leads to the incident."""
        page = self._get(person, "/declare")
        form = _form(page, "/do/declare")
        assert form is not None, "the page for declaring has no form"
        landed, _ = self._send(person, form, fields)
        return landed.split("/incidents/")[1].split("/")[0].split("?")[0].split("#")[0]

    def act(self, person: str, use_case: str, incident: str, on: str, fields: Mapping[str, Any]) -> Json:
        """Fill in the form the section shows for it; it has to be there. Without a section: the form's own address."""
        action = f"/incidents/{incident}/do/{use_case}"
        page = self._in_front_of(person, f"/incidents/{incident}/{on}" if on else action)
        unfit = []
        for form in _forms(page, action):
            try:
                pairs = form.filled(dict(fields))
            except CannotFillError as why:
                unfit.append(str(why))
            else:
                return self._post(person, form, pairs)[1]
        message = f"{on or action} has no form for {use_case} that takes {dict(fields)}: {unfit}"
        raise AssertionError(message)

    def capture(self, person: str, incident: str, path: Path, kind: str, source: str | None) -> None:
        """The upload form of the evidence page."""
        page = self._get(person, f"/incidents/{incident}/evidence")
        forms = [Form(node) for node in page.all("form") if any(_is_file(one) for one in node.all("input"))]
        assert forms, "the evidence page has no form with a file"
        form = forms[0]
        file_field = next(one.attributes["name"] for one in form.controls() if _is_file(one))
        fields = {"kind": kind, **({} if source is None else {"source": source})}
        node = Node(form.node.tag, form.node.attributes, [_without_files(child) for child in form.node.children])
        data: dict[str, Any] = {}
        for name, text in Form(node).filled(fields):
            data.setdefault(name, []).append(text)
        files = {file_field: (path.name, path.read_bytes(), "text/plain")}
        answer = self._client(person).post(form.action, data=data, files=files)
        self._followed(person, answer)

    def rendered(self, person: str, incident: str, section: str) -> str:
        """The text of the section's page."""
        return self._get(person, f"/incidents/{incident}/{section}".rstrip("/")).text()

    def rows(self, person: str, incident: str, section: str) -> list[str]:
        """Rows, panels and paragraphs of the section's page."""
        page = self._get(person, f"/incidents/{incident}/{section}".rstrip("/"))
        return [node.text() for node in page.all("li", "tr", "section", "p", "dd", "div")]

    def sentences(self, person: str, incident: str) -> dict[int, str]:
        """The timeline's page, every entry under its own anchor; further pages are followed."""
        shown: dict[int, str] = {}
        address: str | None = f"/incidents/{incident}/timeline"
        seen = set()
        while address is not None and address not in seen:
            seen.add(address)
            page = self._get(person, address)
            for node in page.all("li"):
                identity = node.attributes.get("id", "")
                if identity.startswith("e-"):
                    shown[int(identity[2:])] = node.text()
            address = next((one.attributes["href"] for one in page.all("a") if _leads_on(one)), None)
        return shown

    def gate(self, person: str, incident: str, scope: str, containment_pass: str | None = None) -> str:
        """The freeze page answers what a pipeline is told; a pass is shown by the pipeline itself, over HTTP."""
        if containment_pass is None:
            page = self.page(person, f"/incidents/{incident}/freeze?scope={scope}")
            panel = page.by_id("gate")
            assert panel is not None
            (said,) = (one.text() for one in panel.all("p") if one.attributes.get("role") == "status")
            return said.split()[0].strip(",:").lower()
        headers = {"Authorization": f"Bearer {self._installation.tokens[person]}"}
        body = {"scope": scope, "containment_pass": containment_pass, "pipeline": "deploy-payments"}
        return str(httpx.post(f"{self._installation.url}/api/v1/gate", json=body, headers=headers).json()["verdict"])

    def page(self, person: str, path: str) -> Node:
        """Any page, parsed."""
        return self._get(person, path)

    def _in_front_of(self, person: str, path: str) -> Node:
        """The page the person was led to, if it is this one and nobody has sent anything since; else it is opened."""
        if self._before is not None and self._before[:2] == (person, path):
            return parse(self._before[2])
        return self._get(person, path)

    def _client(self, person: str) -> httpx.Client:
        """The person's browser, signed in by the real page at first use."""
        client = self._clients[person]
        if person not in self._signed_in:
            self._signed_in.add(person)
            page = parse(client.get("/sign-in").text)
            (form,) = _forms(page, "/sign-in")
            pairs = form.filled({"account": person, "password": PASSWORD, "code": self._installation.code(person)})
            answer = client.post(form.action, data=dict(pairs))
            assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text[:2000]
        return client

    def _get(self, person: str, path: str) -> Node:
        return parse(self._html(person, path))

    def _html(self, person: str, path: str) -> str:
        answer = self._client(person).get(path)
        if not answer.is_success:
            page = parse(answer.text)
            raise RefusedHere(_code(page) or str(answer.status_code), page.text()[:2000])
        return answer.text

    def _send(self, person: str, form: Form, fields: Mapping[str, Any]) -> tuple[str, Json]:
        return self._post(person, form, form.filled(dict(fields)))

    def _post(self, person: str, form: Form, pairs: list[tuple[str, str]]) -> tuple[str, Json]:
        assert form.node.attributes.get("method", "").lower() == "post"
        data: dict[str, list[str]] = {}
        for name, text in pairs:
            data.setdefault(name, []).append(text)
        return self._followed(person, self._client(person).post(form.action, data=data))

    def _followed(self, person: str, answer: httpx.Response) -> tuple[str, Json]:
        """Where the redirect leads, and what is shown there exactly once."""
        self._before = None
        if answer.status_code != 303:
            page = parse(answer.text)
            code = _code(page)
            assert code is not None, f"{answer.status_code} without an error: {page.text()[:2000]}"
            raise RefusedHere(code, page.text()[:2000])
        landed = answer.headers["location"]
        html = self._html(person, landed)
        if not landed.startswith("/once/"):
            self._before = (person, landed.split("?")[0].split("#")[0], html)
            return landed, {}
        page = parse(html)
        once = {node.attributes["id"]: node.raw().strip() for node in page.all("textarea") if _is_once(node)}
        onward = [one.attributes["href"] for one in page.all("a") if "primary" in one.attributes.get("class", "")]
        return onward[0], {"once": once}


def _forms(page: Node, action: str) -> list[Form]:
    return [Form(node) for node in page.all("form") if node.attributes.get("action") == action]


def _form(page: Node, action: str) -> Form | None:
    return next(iter(_forms(page, action)), None)


def _code(page: Node) -> str | None:
    found = [node for node in page.all("p") if "notice-code" in node.attributes.get("class", "")]
    return next((code.text() for node in found for code in node.all("code")), None)


def _is_file(node: Node) -> bool:
    return node.attributes.get("type") == "file"


def _is_once(node: Node) -> bool:
    return "once-value" in node.attributes.get("class", "")


def _leads_on(link: Node) -> bool:
    return "next" in link.attributes.get("rel", "").split()


def _without_files(child: Node | str) -> Node | str:
    if isinstance(child, str):
        return child
    if _is_file(child):
        return Node("span", {})
    return Node(child.tag, child.attributes, [_without_files(one) for one in child.children])
