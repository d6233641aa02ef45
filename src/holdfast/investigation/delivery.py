"""When a file was delivered, as far as its name tells.

Rules:
1. CloudTrail writes ``…_CloudTrail_<region>_YYYYMMDDTHHmmZ_<id>.json.gz``: the minute in which the file was delivered
   (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html).
2. Firehose writes ``…-YYYY-MM-DD-HH-mm-ss-<uuid>``: the second in which it wrote
   (https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html).
3. A date that does not exist, or any other name, tells nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORMS = (
    re.compile(r"_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)()Z_"),
    re.compile(r"-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-[0-9a-f]{8}-"),
)


def delivered_us(path: str) -> int | None:
    """Microseconds since 1970 UTC of the delivery; none when the name does not tell."""
    name = path.replace("!", "/").rpartition("/")[2]
    for form in _FORMS:
        match = form.search(name)
        if match:
            try:
                when = datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
            except ValueError:
                return None
            return int(when.timestamp()) * 1_000_000
    return None
