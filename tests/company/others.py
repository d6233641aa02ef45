"""Those who act in the same days and are not the attacker: the responders, and harmless acts that look alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.company import aws, github, k8s
from tests.company.attack import Attack
from tests.company.aws import CLI, Call, Role, Who, by_saml, console_user, login
from tests.company.booty import MACHINE, SNAPSHOT, TRAIL_EUW1, at, share
from tests.company.cast import (
    CLUSTER_EXIT,
    EUW1,
    FOREIGN,
    OFFICE,
    PROD,
    USE1,
    Cast,
    arn,
    micros,
)
from tests.company.okta import target
from tests.company.plan import Run, ci_assumption, ci_role, shift
from tests.company.tale import Tale

ROLES_APPLIED = 24
DENIED = 400
"""Calls of the job that had lost its policy."""
BREAK_GLASS = "break-glass-1"


class Responders:
    """Two people contain what they know of, twice; the planted user and three other things they do not know."""

    def __init__(self, cast: Cast, tale: Tale, attack: Attack) -> None:
        self.cast, self.tale, self.attack = cast, tale, attack
        self.ines, self.tobias = cast.person("Ines Calder"), cast.person("Tobias Renner")
        self.first = Role(PROD, "IncidentResponse", self.ines.email, cast.key("ines", 1), at("08:58:00"))
        self.second = Role(PROD, "IncidentResponse", self.ines.email, cast.key("ines", 2), at("08:00:20", 1))

    def rows(self) -> list[dict[str, Any]]:
        """Whose acts are ours, and when: rows of the table ``responders``."""
        from_us, to_us = micros(at("08:30:00")), micros(at("10:00:00", 1))
        values = (self.first.arn, self.tobias.email, self.tobias.login)
        return [{"value": value, "from_us": from_us, "to_us": to_us} for value in values]

    def tell(self) -> None:
        """All they did."""
        self.tale.side = "responder"
        self._amazon()
        self._elsewhere()

    def _amazon(self) -> None:
        tale, who = self.tale, self.first.who(self.cast, OFFICE, CLI)
        caller, call = by_saml(self.cast, self.ines, self.first, OFFICE)
        tale.aws("r-saml", self.first.begun, caller, call)
        key = self.attack.key
        off = Call(
            "iam", "UpdateAccessKey", {"userName": MACHINE, "accessKeyId": key, "status": "Inactive"}, read=False
        )
        tale.aws("r-inactive", at("09:05:12"), who, off, region=USE1, removed=("access_key", key))
        profile = Call("iam", "DeleteLoginProfile", {"userName": MACHINE}, read=False)
        removed = ("login_profile", arn(PROD, "user", MACHINE))
        tale.aws("r-profile", at("09:20:40"), who, profile, region=USE1, removed=removed)
        tale.aws("r-unshare", at("09:25:03"), who, share("remove"), removed=("snapshot_share", f"{SNAPSHOT} {FOREIGN}"))
        start = Call("cloudtrail", "StartLogging", {"name": TRAIL_EUW1}, read=False)
        tale.aws("r-start", at("10:12:44"), who, start, region=EUW1, removed=("stopped_trail", TRAIL_EUW1))
        caller, call = by_saml(self.cast, self.ines, self.second, OFFICE)
        tale.aws("r-saml-2", self.second.begun, caller, call)
        who = self.second.who(self.cast, OFFICE, CLI)
        tale.aws("r-inactive-2", at("08:02:10", 1), who, off, region=USE1)
        gone = Call("iam", "DeleteAccessKey", {"userName": MACHINE, "accessKeyId": key}, read=False)
        tale.aws("r-delete-key", at("08:03:05", 1), who, gone, region=USE1, removed=("access_key", key))

    def _elsewhere(self) -> None:
        tale, cast, mara = self.tale, self.cast, self.attack.mara
        admin = shift(cast, self.tobias, at("08:31:00"), OFFICE)
        tale.okta("r-suspend", at("09:08:05"), "user.lifecycle.suspend", admin, target(cast, mara))
        tale.okta("r-clear", at("09:08:30"), "user.session.clear", admin, target(cast, mara))
        tale.okta(
            "r-factors",
            at("09:10:11"),
            "user.mfa.factor.reset_all",
            admin,
            target(cast, mara),
            removed=("mfa_factor", mara.email),
        )
        web = github.by(cast, self.tobias, OFFICE)
        token = github.with_token(cast, "attack")["token_id"]
        tale.github(
            "r-token",
            at("09:12:02"),
            "personal_access_token.access_revoked",
            web,
            user=mara.login,
            token_id=token,
            means={"removed": ("token", str(token))},
        )
        git = github.by(cast, self.tobias, OFFICE, github.GIT) | github.with_token(
            cast, self.tobias.login, "OAuth access token"
        )
        tale.github("r-push", at("09:30:20"), "git.push", git, repo="shop", branch="refs/heads/main")
        user = k8s.from_role(cast, self.first, ("larkfield:responders",))
        binding = "metrics-reader-2"
        tale.k8s(
            "r-binding",
            at("09:31:00"),
            "delete",
            f"rbac.authorization.k8s.io/clusterrolebindings:/{binding}",
            user,
            ip=OFFICE,
            means={"removed": ("cluster_role_binding", binding)},
        )


class Decoys:
    """Five things that look like an attack and are none."""

    def __init__(self, cast: Cast, tale: Tale) -> None:
        self.cast, self.tale = cast, tale
        self.tobias = cast.person("Tobias Renner")
        self.run: Run | None = None

    def tell(self) -> list[Run]:
        """All of them; the runs of workflows among them."""
        self.tale.side = "decoy"
        self._hired()
        self._break_glass()
        self._vendor()
        self._denied()
        return [self._terraform()]

    def _hired(self) -> None:
        tale, cast, vera = self.tale, self.cast, self.cast.person("Vera Quast")
        admin = shift(cast, self.tobias, at("07:50:00", -1), OFFICE)
        for number, kind in enumerate(
            ("user.lifecycle.create", "user.lifecycle.activate", "group.user_membership.add")
        ):
            moment = at("08:00:00", -1) + timedelta(seconds=20 * number)
            tale.okta(f"hired/{kind}", moment, kind, admin, target(cast, vera))
        own = shift(cast, vera, at("08:20:00", -1), OFFICE)
        tale.okta("hired/start", own.begun, "user.session.start", own)
        tale.okta("hired/factor", at("08:22:10", -1), "user.mfa.factor.activate", own, target(cast, vera))
        web = github.by(cast, self.tobias, OFFICE)
        tale.github("hired/member", at("08:31:00", -1), "org.add_member", web, user=vera.login, permission="read")

    def _break_glass(self) -> None:
        """An outage of the identity provider, on Thursday evening the week before."""
        tale, cast = self.tale, self.cast
        who = console_user(cast, PROD, BREAK_GLASS, OFFICE, mfa=True)
        signing = {name: value for name, value in who.identity.items() if name not in {"accessKeyId", "sessionContext"}}
        signed = Who(signing, OFFICE, aws.BROWSER)
        tale.aws("glass/login", at("21:10:05", -5), signed, login(BREAK_GLASS, mfa=True), region=USE1)
        tale.aws("glass/look", at("21:12:40", -5), who, Call("ec2", "DescribeInstances"))
        instances = {"instancesSet": {"items": [{"instanceId": "i-0a1b2c3d4e5f60003"}]}}
        tale.aws("glass/reboot", at("21:15:22", -5), who, Call("ec2", "RebootInstances", instances, read=False))

    def _vendor(self) -> None:
        web = github.by(self.cast, self.tobias, OFFICE)
        self.tale.github(
            "vendor",
            at("09:41:00", -7),
            "integration_installation.create",
            web,
            name="coverage-vendor",
            repository_selection="selected",
            means={"change": "vendor_changes"},
        )

    def _denied(self) -> None:
        """The report job lost its policy for two hours."""
        begun = at("00:00:41", -3)
        issuer = aws.eks_issuer(self.cast)
        federated = {"federatedProvider": f"arn:aws:iam::{PROD}:oidc-provider/{issuer}", "attributes": {}}
        role = Role(PROD, "irsa-report-runner", "eks-70-report-runner", self.cast.key("denied"), begun, federated)
        who, call = aws.by_web_identity(
            self.cast, role, issuer, "system:serviceaccount:jobs:report-runner", CLUSTER_EXIT, aws.SDK
        )
        self.tale.aws("denied/begin", begun, who, call)
        names = ("StartQueryExecution", "GetWorkGroup", "ListQueryExecutions")
        for number in range(DENIED):
            call = Call(
                "athena",
                names[number % 3],
                {"workGroup": "reports"},
                error="AccessDeniedException",
                read=number % 3 > 0,
            )
            moment = at("01:00:00", -3) + timedelta(seconds=18 * number)
            self.tale.aws(f"denied/{number}", moment, role.who(self.cast, CLUSTER_EXIT, aws.SDK), call)

    def _terraform(self) -> Run:
        """A planned apply makes many roles."""
        cast, moment = self.cast, at("10:00:00", -4)
        run = Run(
            id=7_998_000_222,
            repo="infra",
            workflow="deploy",
            event="push",
            actor=cast.person("Pavel Thal"),
            at=moment,
            lasts=420,
            runner="198.51.100.131",
            secrets=(),
            sha=cast.digest("apply").hex()[:40],
        )
        self.tale.run("apply", github.of_run(cast, run, OFFICE), {})
        role = ci_role(cast, run)
        assert role is not None
        who, call = ci_assumption(cast, run, role)
        self.tale.aws("apply/begin", role.begun, who, call)
        apply = role.who(cast, run.runner, aws.TERRAFORM)
        for number in range(ROLES_APPLIED):
            name = f"team-{number:02d}-reader"
            request = {"roleName": name, "assumeRolePolicyDocument": _trusted(number), "path": "/"}
            made = Call(
                "iam", "CreateRole", request, {"role": {"roleName": name, "arn": arn(PROD, "role", name)}}, read=False
            )
            self.tale.aws(
                f"apply/role/{number}", role.begun + timedelta(seconds=20 + 4 * number), apply, made, region=USE1
            )
            policy = {"roleName": name, "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
            attached = Call("iam", "AttachRolePolicy", policy, read=False)
            self.tale.aws(
                f"apply/policy/{number}", role.begun + timedelta(seconds=22 + 4 * number), apply, attached, region=USE1
            )
        return run


def _trusted(number: int) -> str:
    return (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::'
        + PROD
        + f':role/team-{number:02d}"}},"Action":"sts:AssumeRole"}}]}}'
    )
