"""What an answer of AWS means, without AWS."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.connectors.aws.judging import bucket_standing, trust_standing

ROLE = "arn:aws:iam::111111111111:role/r"
ALL = [{"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


@pytest.mark.parametrize(
    ("statement", "standing", "words"),
    [
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}, "exploitable", "by *"),
        (
            {"Effect": "Allow", "Principal": {"AWS": "2" * 12}, "Action": "sts:AssumeRole", "Condition": {"Bool": {}}},
            "exploitable",
            "by 222222222222",
        ),
        (
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
            "cannot_tell",
            "only the services ec2.amazonaws.com",
        ),
        ({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}, "cannot_tell", "denies somebody"),
        ({"Effect": "Allow", "Principal": "*", "Action": "sts:TagSession"}, "closed", "nobody"),
    ],
)
def test_trust(statement: Any, standing: str, words: str) -> None:
    found, why = trust_standing(ROLE, {"Statement": [statement]})
    assert found == standing
    assert words in why


@pytest.mark.parametrize(
    ("policy", "grants", "block", "standing"),
    [
        (None, [], {}, "closed"),
        (None, ALL, {}, "exploitable"),
        (None, ALL, {"IgnorePublicAcls": True}, "closed"),
        ({"Statement": [PUBLIC]}, [], {}, "exploitable"),
        ({"Statement": [PUBLIC]}, [], {"RestrictPublicBuckets": True}, "closed"),
        ({"Statement": [{**PUBLIC, "Condition": {"IpAddress": {}}}]}, [], {}, "cannot_tell"),
        ("not json", [], {}, "cannot_tell"),
    ],
)
def test_buckets(policy: Any, grants: Any, block: Any, standing: str) -> None:
    assert bucket_standing(policy, grants, block)[0] == standing
