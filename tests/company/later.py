"""What is captured a day later: the responders have found the planted user and taken it away."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from tests.company import aws
from tests.company.attack import Attack
from tests.company.aws import CLI, Call, Role
from tests.company.booty import ADMIN_POLICY, PLANTED, at
from tests.company.cast import OFFICE, PROD, USE1, stamp
from tests.company.company import Company


def later(company: Company) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each further file: one of CloudTrail, with three calls."""
    cast = company.cast
    attack: Attack = company.story[1]
    ines = cast.person("Ines Calder")
    who = Role(PROD, "IncidentResponse", ines.email, cast.key("ines", 3), at("09:00:00", 4)).who(cast, OFFICE, CLI)
    made = (
        ("UpdateAccessKey", {"userName": PLANTED, "accessKeyId": attack.key2, "status": "Inactive"}),
        ("DetachUserPolicy", {"userName": PLANTED, "policyArn": ADMIN_POLICY}),
        ("DeleteUser", {"userName": PLANTED}),
    )
    records = []
    for number, (name, request) in enumerate(made):
        record = aws.record(who, Call("iam", name, request, read=False), PROD, USE1)
        moment = at(f"09:1{number}:00", 4)
        uid = cast.uuid("later", number)
        records.append(record | {"eventTime": stamp(moment), "requestID": uid, "eventID": uid})
    name = f"{PROD}_CloudTrail_{USE1}_20261024T0920Z_LaterCapture0001.json"
    yield f"aws/{name}", orjson.dumps({"Records": records})
