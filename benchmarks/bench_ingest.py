"""CloudTrail files into Parquet, against the bound: inflate, parse, hash and write the same bytes once."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import resource
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import orjson
import pyarrow.parquet as pq
from isal import isal_zlib

from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest import ParquetIngest
from holdfast.engines.ingest.writing import OPTIONS

EVENTS = int(os.environ.get("BENCH_EVENTS", "600000"))
IN_A_FILE = 170
WORKERS = 2
_START = datetime(2026, 5, 1, tzinfo=UTC)
_AGENTS = (
    "aws-sdk-go/1.44.157 (go1.19.3; linux; amd64) exec-env/AWS_ECS_FARGATE",
    "Boto3/1.26.84 Python/3.9.16 Linux/5.10.165-143.735.amzn2.x86_64 exec-env/AWS_Lambda_python3.9 Botocore/1.29.84",
    "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/3.76.1 aws-sdk-go/1.44",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0 Safari/537",
    "aws-cli/2.11.4 Python/3.11.2 Linux/6.1.0 exe/x86_64.debian.12 prompt/off command/sts.get-caller-identity",
)


def _id(chance: random.Random, prefix: str, length: int = 17) -> str:
    return f"{prefix}{chance.getrandbits(length * 4):0{length}x}"


def _operations(chance: random.Random) -> list[tuple[str, str, bool, Any, Any, int]]:
    """Service, operation, whether it reads, request, response, weight; values drawn anew for each event."""
    vpc, instance = _id(chance, "vpc-"), _id(chance, "i-")
    filters = {"items": [{"name": "vpc-id", "valueSet": {"items": [{"value": vpc}]}}]}
    key = f"arn:aws:kms:eu-west-1:111122223333:key/{_id(chance, '', 8)}-1111-4222-8333-{_id(chance, '', 12)}"
    secret = f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/{chance.randrange(40)}-AbCdEf"
    role = f"arn:aws:iam::111122223333:role/service-{chance.randrange(60)}"
    issued = {"accessKeyId": f"ASIA{_id(chance, '', 16).upper()}", "sessionToken": _id(chance, "IQoJb3JpZ2luX2Vj", 200)}
    return [
        ("ec2", "DescribeInstances", True, {"filterSet": filters, "maxResults": 100}, None, 14),
        ("ec2", "DescribeRouteTables", True, {"routeTableIdSet": {}, "filterSet": filters}, None, 12),
        ("kms", "Decrypt", True, {"encryptionContext": {"SecretARN": secret}, "keyId": key}, None, 14),
        (
            "sts",
            "AssumeRole",
            True,
            {"roleArn": role, "roleSessionName": instance},
            {"credentials": issued, "assumedRoleUser": {"arn": f"{role}/{instance}"}},
            8,
        ),
        (
            "s3",
            "GetBucketAcl",
            True,
            {"bucketName": f"corp-logs-{chance.randrange(50)}", "Host": "s3.amazonaws.com", "acl": ""},
            None,
            8,
        ),
        ("iam", "GetRole", True, {"roleName": f"service-{chance.randrange(60)}"}, None, 8),
        ("secretsmanager", "GetSecretValue", True, {"secretId": secret}, None, 6),
        (
            "ssm",
            "UpdateInstanceInformation",
            False,
            {
                "instanceId": instance,
                "agentVersion": "3.1.1732.0",
                "agentStatus": "Active",
                "platformType": "Linux",
                "platformName": "Amazon Linux",
                "iPAddress": "10.0.1.10",
            },
            None,
            10,
        ),
        (
            "ec2",
            "CreateNetworkInterface",
            False,
            {"subnetId": _id(chance, "subnet-"), "groupSet": {"items": [{"groupId": _id(chance, "sg-")}]}},
            {
                "requestId": _id(chance, "", 32),
                "networkInterface": {
                    "networkInterfaceId": _id(chance, "eni-"),
                    "vpcId": vpc,
                    "status": "pending",
                    "privateIpAddress": "10.0.1.77",
                },
            },
            4,
        ),
        ("logs", "DescribeLogGroups", True, {"logGroupNamePrefix": "/aws/lambda/"}, None, 6),
        ("dynamodb", "DescribeTable", True, {"tableName": f"orders-{chance.randrange(9)}"}, None, 6),
        ("sts", "GetCallerIdentity", True, None, None, 4),
    ]


def _identity(chance: random.Random, when: str) -> dict[str, Any]:
    if chance.random() < 0.25:
        name = f"person-{chance.randrange(80)}"
        return {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEEXAMPLE000",
            "arn": f"arn:aws:iam::111122223333:user/{name}",
            "accountId": "111122223333",
            "accessKeyId": f"AKIAEXAMPLE{name[-2:]}EXAMPLE",
            "userName": name,
        }
    service = chance.randrange(30)  # a sixth of a file's identities are new, as in real files of this size
    name, session = f"service-{service}", f"i-{service:017x}"
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLEEXAMPLE000:{session}",
        "arn": f"arn:aws:sts::111122223333:assumed-role/{name}/{session}",
        "accountId": "111122223333",
        "accessKeyId": f"ASIAEXAMPLE{session[-4:]}EXAMPL",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEEXAMPLE000",
                "accountId": "111122223333",
                "arn": f"arn:aws:iam::111122223333:role/{name}",
                "userName": name,
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": f"{when[:13]}:00:00Z", "mfaAuthenticated": "false"},
        },
    }


def event(chance: random.Random, when: datetime) -> dict[str, Any]:
    """One event, about 1,300 bytes as JSON."""
    operations = _operations(chance)
    service, name, reads, request, response, _ = chance.choices(operations, [one[5] for one in operations])[0]
    told = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    denied = chance.random() < 0.02
    return {
        "eventVersion": "1.08",
        "userIdentity": _identity(chance, told),
        "eventTime": told,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": f"10.0.{chance.randrange(4)}.{chance.randrange(256)}",
        "userAgent": chance.choice(_AGENTS),
        "requestParameters": request,
        "responseElements": response,
        **({"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform this"} if denied else {}),
        "requestID": _id(chance, "", 32),
        "eventID": f"{_id(chance, '', 8)}-0000-4000-8000-{_id(chance, '', 12)}",
        "readOnly": reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.2",
            "cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256",
            "clientProvidedHostHeader": f"{service}.eu-west-1.amazonaws.com",
        },
    }


def _file(place: tuple[str, int]) -> tuple[int, int]:
    folder, number = place
    chance = random.Random(number)
    hour = _START + timedelta(hours=number)
    records = [event(chance, hour + timedelta(seconds=at * 20)) for at in range(IN_A_FILE)]
    told = json.dumps({"Records": records}).encode()
    packed = gzip.compress(told, 6)
    name = f"111122223333_CloudTrail_eu-west-1_{hour:%Y%m%dT%H}05Z_{number:016x}.json.gz"
    Path(folder, name).write_bytes(packed)
    return len(told), len(packed)


def _bound(task: tuple[list[Path], list[Path], Path]) -> tuple[float, float]:
    """Seconds for reading (inflate, parse, hash) and for writing, of one process."""
    files, parts, target = task
    tables = [pq.read_table(part) for part in parts]
    begun = time.perf_counter()
    for file in files:
        data = file.read_bytes()
        hashlib.sha256(data).hexdigest()
        orjson.loads(isal_zlib.decompress(data, 31))
    read = time.perf_counter() - begun
    begun = time.perf_counter()
    for place, table in enumerate(tables):
        pq.write_table(table, target / f"{os.getpid()}-{place}.parquet", **OPTIONS)
    return read, time.perf_counter() - begun


class _Peak:
    """The most memory this process and its children held at once, MB, sampled."""

    def __enter__(self) -> Self:
        self.mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.mb = max(self.mb, sum(map(_pss, _family(os.getpid()))))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0) / 1024


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name,
        ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool,
    ):
        source, target = Path(name, "logs"), Path(name, "out")
        source.mkdir()
        files = EVENTS // IN_A_FILE
        sizes = list(pool.map(_file, [(str(source), number) for number in range(files)], chunksize=50))
        events, plain, packed = files * IN_A_FILE, sum(size for size, _ in sizes), sum(size for _, size in sizes)
        print(
            f"  {events:,} events in {files:,} gz files: {plain / 1e6:,.0f} MB of JSON, {packed / 1e6:,.0f} MB packed"
        )
        begun, cpu = time.perf_counter(), _children_cpu()
        with _Peak() as peak:
            ingested = ParquetIngest(lambda: 0, WORKERS)([Source(source, "logs")], target)
        ours, used = time.perf_counter() - begun, _children_cpu() - cpu
        assert sum(one["rows"] for one in ingested.inputs) == events
        every, parts = sorted(source.iterdir()), list(ingested.parts)
        tasks = [(every[at::WORKERS], parts[at::WORKERS], Path(name)) for at in range(WORKERS)]
        times = list(pool.map(_bound, tasks))
        bound = max(read + write for read, write in times)
        size = sum(part.stat().st_size for part in parts)
        print(f"  bound: {bound:.2f} s, of which writing {max(write for _, write in times):.2f} s")
        print(
            f"  ingest: {ours:.2f} s, {events / ours:,.0f} events/s on {WORKERS} processes, {ours / bound:.2f} x bound"
        )
        print(
            f"  {used / events * 1e6:.1f} µs CPU an event, {peak.mb:,.0f} MB at most, {size / 1e6:,.0f} MB of Parquet"
        )


def _children_cpu() -> float:
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


if __name__ == "__main__":
    main()
