"""What an answer of AWS means for "still exploitable": pure, by the same reading of policies as captured state.

Rules:
1. A role that trusts an AWS principal or an outside issuer is open to it; one that trusts only services is there, and
   whether that is used cannot be told from here.
2. A bucket is open when its policy or its list lets in everybody or another account, and its public access block does
   not take that back: ``RestrictPublicBuckets`` for public policies, ``IgnorePublicAcls`` for lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.investigation.captured import Origin
from holdfast.investigation.probing import Standing
from holdfast.investigation.state_readers._aws_policies import account_of, add_resource_grants, add_trust
from holdfast.investigation.state_readers._rows import Rows

_NOWHERE = Origin("probe", 0, None)


def trust_standing(role: str, policy: object) -> tuple[Standing, str]:
    """What a role's trust policy means."""
    rows = Rows(_NOWHERE, account_of(role))
    add_trust(rows, role, policy)
    trusted = sorted({edge["from_uid"] for edge in rows.edges if edge["from_type"] not in ("service", "issuer")})
    services = sorted({edge["from_uid"] for edge in rows.edges if edge["from_type"] == "service"})
    if trusted:
        on = " on a condition" if all(edge["condition"] for edge in rows.edges if edge["from_uid"] in trusted) else ""
        return "exploitable", f"it may be assumed{on} by {', '.join(trusted)}"
    if rows.gaps:
        return "cannot_tell", rows.gaps[0]["why"]
    if services:
        return "cannot_tell", f"it is there and trusts only the services {', '.join(services)}"
    return "closed", "its trust policy lets nobody assume it"


def bucket_standing(
    policy: object, grants: Iterable[Mapping[str, Any]], block: Mapping[str, Any]
) -> tuple[Standing, str]:
    """What a bucket's policy, list and public access block mean together."""
    lists = sorted(
        str(one.get("Permission")) for one in grants if "/global/" in str(one.get("Grantee", {}).get("URI", ""))
    )
    if lists and not block.get("IgnorePublicAcls"):
        return "exploitable", f"its access list gives everybody {', '.join(lists)}"
    if policy is not None:
        rows = Rows(_NOWHERE)
        add_resource_grants(rows, "bucket", policy)
        everybody = [one for one in rows.grants if one["holder_uid"] == "*" and one["effect"] == "allow"]
        free = [one for one in everybody if one["condition"] is None]
        if free and not block.get("RestrictPublicBuckets"):
            return "exploitable", f"its policy gives everybody {free[0]['action']} on {free[0]['resource']}"
        if everybody and not block.get("RestrictPublicBuckets"):
            return "cannot_tell", f"its policy gives everybody {everybody[0]['action']} on a condition"
        if rows.gaps:
            return "cannot_tell", rows.gaps[0]["why"]
    return "closed", "neither its policy nor its access list lets everybody in"
