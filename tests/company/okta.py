"""Okta's system log, a JSON array for each day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from tests.company.aws import BROWSER
from tests.company.cast import Cast, Person, stamp_ms
from tests.company.feed import Chance, Line, seconds
from tests.company.plan import Shift, shifts

Json = dict[str, Any]
APPS = ("GitHub Enterprise Cloud", "AWS Account Federation", "Wiki", "Payroll", "Chat")
_CITIES = {
    "198": ("Leipzig", "Saxony", "Germany", 64500, "Larkfield GmbH"),
    "192": ("Halle", "Saxony-Anhalt", "Germany", 64501, "City Cable"),
    "203": ("Vilnius", "Vilnius", "Lithuania", 64666, "Bulk Hosting"),
}
"""By the first octet: city, state, country, number and name of the network."""
MESSAGES = {
    "user.session.start": "User login to Okta",
    "user.session.end": "User logout from Okta",
    "user.authentication.sso": "User single sign on to app",
    "user.authentication.auth_via_mfa": "Authentication of user via MFA",
    "user.session.clear": "Clear user session",
    "user.mfa.factor.activate": "Activate factor or authenticator enrollment for user",
    "user.mfa.factor.reset_all": "Reset all factors for user",
    "user.lifecycle.suspend": "Suspend Okta user",
    "user.lifecycle.create": "Create Okta user",
    "user.lifecycle.activate": "Activate Okta user",
    "application.user_membership.add": "Add user to application membership",
    "group.user_membership.add": "Add user to group membership",
    "user.account.update_password": "User update password for Okta",
}


def target(cast: Cast, person: Person) -> Json:
    """A person as a target."""
    return {
        "id": cast.okta_id(person.email),
        "type": "User",
        "alternateId": person.email,
        "displayName": person.name,
        "detailEntry": None,
    }


def app(cast: Cast, name: str) -> Json:
    """An application as a target."""
    return {
        "id": "0oa" + cast.token(17, "app", name).lower(),
        "type": "AppInstance",
        "alternateId": name,
        "displayName": name,
        "detailEntry": {"signOnModeType": "SAML_2_0"},
    }


def event(  # the parts of an event
    cast: Cast, at: datetime, kind: str, shift: Shift, *targets: Json, result: str = "SUCCESS", number: object = 0
) -> Json:
    """One event; the shift says who, from where and in which session."""
    city, state, country, network, owner = _CITIES[shift.ip.split(".", 1)[0]]
    place = {
        "city": city,
        "state": state,
        "country": country,
        "postalCode": None,
        "geolocation": {"lat": 51.3, "lon": 12.4},
    }
    return {
        "actor": target(cast, shift.person),
        "client": {
            "userAgent": {"rawUserAgent": BROWSER, "os": "Mac OS X", "browser": "CHROME"},
            "zone": "null",
            "device": "Computer",
            "id": None,
            "ipAddress": shift.ip,
            "geographicalContext": place,
        },
        "device": None,
        "authenticationContext": {
            "authenticationProvider": None,
            "credentialProvider": None,
            "credentialType": None,
            "issuer": None,
            "interface": None,
            "authenticationStep": 0,
            "rootSessionId": shift.session,
            "externalSessionId": shift.session,
        },
        "displayMessage": MESSAGES[kind],
        "eventType": kind,
        "outcome": {"result": result, "reason": None if result == "SUCCESS" else "INVALID_CREDENTIALS"},
        "published": stamp_ms(at, cast.number(1000, "millis", at, kind, shift.person.email)),
        "securityContext": {"asNumber": network, "asOrg": owner, "isp": owner, "domain": None, "isProxy": False},
        "severity": "INFO",
        "debugContext": {"debugData": {"requestUri": "/", "dtHash": cast.digest("device", shift.ip).hex()}},
        "legacyEventType": None,
        "transaction": {"type": "WEB", "id": cast.token(22, "transaction", at, shift.session), "detail": {}},
        "uuid": cast.uuid("okta", at, kind, shift.person.email, shift.session, number),
        "version": "0",
        "request": {"ipChain": [{"ip": shift.ip, "geographicalContext": place, "version": "V4", "source": None}]},
        "target": list(targets) or None,
    }


def line(at: datetime, made: Json, uid: str | None = None) -> Line:
    """The event with its time."""
    return seconds(at), orjson.dumps(made), uid


def told(at: datetime, made: Json) -> Line:
    """An event of the story."""
    return line(at, made, made["uuid"])


def ordinary(cast: Cast, day: datetime, bulk: float) -> Iterator[Line]:
    """A day of sign-ins; ``bulk`` is how many single sign-ons to expect."""
    present = shifts(cast, day)
    each = max(bulk / max(len(present), 1), 0.3)
    for found in present:
        chance = Chance(cast.digest("okta", day, found.person.email))
        at = found.begun
        if chance.odds(0.06):
            yield line(at, event(cast, at, "user.session.start", found, result="FAILURE"))
            at += timedelta(seconds=21)
        yield line(at, event(cast, at, "user.session.start", found))
        at += timedelta(seconds=4)
        yield line(at, event(cast, at, "user.authentication.auth_via_mfa", found))
        for number in range(chance.many(each)):
            at = found.begun + timedelta(seconds=10 + chance.one(9 * 3600))
            name = APPS[chance.one(len(APPS))]
            yield line(at, event(cast, at, "user.authentication.sso", found, app(cast, name), number=number))
        if chance.odds(0.01):
            at = found.begun + timedelta(hours=1)
            yield line(at, event(cast, at, "user.account.update_password", found, target(cast, found.person)))
