"""The attack, told across everything: a hijacked sign-in session becomes a key, a user and a trust in production.

All of it happens in the night to Tuesday 20 October 2026 and comes back twice. Times are UTC; the cluster's own clock
is ahead. What the responders find and undo is in ``others``; what they miss stays open.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.company import aws, calls, github, k8s
from tests.company.aws import (
    BUCKETS,
    CLI,
    Call,
    Role,
    Who,
    assume,
    by_saml,
    by_web_identity,
    console_user,
    login,
    s3,
    subject,
    user,
)
from tests.company.booty import (
    ADMIN_POLICY,
    CLUSTER_SECRETS,
    DEPLOY_KEY,
    DEPLOY_KEY_ID,
    MACHINE,
    OBJECTS,
    PLANTED,
    REFUSED,
    SECRETS,
    SNAPSHOT,
    TRAIL_EUW1,
    VOLUME,
    at,
    cluster_binding,
    share,
    token_secret,
    trust_document,
)
from tests.company.cast import A1, A2, A3, CLUSTER, EUC1, EUW1, FOREIGN, ORG, PROD, STAGING, TOOLS, USE1, Cast, arn
from tests.company.okta import app, target
from tests.company.plan import RUNNER_AGENT, Run, Shift, shift
from tests.company.tale import Tale


class Attack:
    """What the attacker holds, and the telling of it."""

    def __init__(self, cast: Cast, tale: Tale) -> None:
        self.cast, self.tale = cast, tale
        self.mara = cast.person("Mara Lind")
        evening = shift(cast, self.mara, at("12:02:10", -1), self.mara.home)
        self.own = evening
        self.session = Shift(self.mara, evening.begun, A1, evening.session)
        self.run = Run(
            id=7_999_000_111,
            repo="shop",
            workflow="deploy",
            event="push",
            actor=self.mara,
            at=at("02:39:10"),
            lasts=232,
            runner="198.51.100.140",
            secrets=("NPM_TOKEN", "SENTRY_DSN"),
            sha=cast.digest("evil").hex()[:40],
        )
        federated = {"federatedProvider": f"arn:aws:iam::{TOOLS}:oidc-provider/{aws.OIDC}", "attributes": {}}
        self.build = Role(TOOLS, "gha-build", "GitHubActions", cast.key("attack", 1), at("02:39:55"), federated)
        self.deploy = Role(PROD, "deploy", "GitHubActions", cast.key("attack", 2), at("02:49:05"))
        self.admin = Role(PROD, "platform-admin", "cleanup", cast.key("attack", 3), at("02:58:20"))
        self.developer = Role(STAGING, "Developer", self.mara.email, cast.key("attack", 4), at("02:50:12"))
        self.key, self.key2 = cast.key("leaked", long_lived=True), cast.key("planted", long_lived=True)

    def tell(self) -> None:
        """All of it."""
        self._own_work()
        self._sign_in()
        self._repository()
        self._pipeline()
        self._into_production()
        self._staging()
        self._stay()
        self._data()
        self._snapshot()
        self._cluster()
        self._dark()
        self._again()

    def _own_work(self) -> None:
        """Mara works on Monday afternoon in the session that is taken, and on Tuesday morning in a new one."""
        self.tale.side = "owner"
        own, tale, cast = self.own, self.tale, self.cast
        tale.okta("own-start", own.begun, "user.session.start", own)
        tale.okta("own-mfa", own.begun + timedelta(seconds=4), "user.authentication.auth_via_mfa", own)
        tale.okta("own-sso", at("12:09:00", -1), "user.authentication.sso", own, app(cast, "GitHub Enterprise Cloud"))
        person = github.by(cast, self.mara, self.mara.home, github.GIT)
        token = github.with_token(cast, self.mara.login, "OAuth access token")
        tale.github("own-push", at("14:31:09", -1), "git.push", person | token, repo="shop")
        morning = shift(cast, self.mara, at("07:40:33"), self.mara.home)
        tale.okta("own-start-2", morning.begun, "user.session.start", morning)
        tale.okta("own-sso-2", at("07:44:10"), "user.authentication.sso", morning, app(cast, "Wiki"))
        tale.side = "attacker"

    def _sign_in(self) -> None:
        """The cookie of her session is used from another country; a second factor is enrolled."""
        tale, cast = self.tale, self.cast
        tale.okta(
            "sso-github", at("02:11:04"), "user.authentication.sso", self.session, app(cast, "GitHub Enterprise Cloud")
        )
        tale.okta(
            "factor",
            at("02:12:30"),
            "user.mfa.factor.activate",
            self.session,
            target(self.cast, self.mara),
            change="access_grants",
            stay="persistence",
            made=("mfa_factor", self.mara.email),
        )
        tale.okta(
            "sso-aws", at("02:49:40"), "user.authentication.sso", self.session, app(cast, "AWS Account Federation")
        )

    def _github(self, ip: str, agent: str = github.WEB, *, token: bool = False) -> dict[str, Any]:
        return github.by(self.cast, self.mara, ip, agent) | (github.with_token(self.cast, "attack") if token else {})

    def _repository(self) -> None:
        """A token and a deploy key; four repositories leave."""
        tale, web = self.tale, self._github(A1)
        pat = github.with_token(self.cast, "attack")
        tale.github(
            "pat",
            at("02:17:12"),
            "personal_access_token.access_granted",
            web,
            user=self.mara.login,
            token_id=pat["token_id"],
            repository_selection="all",
            permissions_added={"contents": "write", "workflows": "write"},
            means={"change": "access_grants", "stay": "persistence", "made": ("token", str(pat["token_id"]))},
        )
        tale.github(
            "deploy-key",
            at("02:21:05"),
            "public_key.create",
            web,
            repo="shop",
            title="ci-cache",
            read_only="false",
            fingerprint=DEPLOY_KEY,
            key_id=DEPLOY_KEY_ID,
            user=self.mara.login,
            means={"change": "access_grants", "stay": "persistence", "made": ("deploy_key", DEPLOY_KEY)},
        )
        for number, repo in enumerate(("shop", "billing", "infra", "platform")):
            tale.github(
                f"clone/{repo}",
                at("02:24:10") + timedelta(seconds=41 * number),
                "git.clone",
                self._github(A2, github.GIT, token=True),
                repo=repo,
                transport_protocol_name="http",
                means={"data": "read", "dataset": f"{ORG}/{repo}"},
            )

    def _pipeline(self) -> None:
        """The workflow on main is changed past its protection; its run hands out secrets and a role session."""
        tale, git = self.tale, self._github(A2, github.GIT, token=True)
        tale.github(
            "push",
            at("02:38:00"),
            "git.push",
            git,
            repo="shop",
            branch="refs/heads/main",
            means={"change": "deployments", "data": "modify", "dataset": f"{ORG}/shop"},
        )
        tale.github(
            "override",
            at("02:38:01"),
            "protected_branch.policy_override",
            git,
            repo="shop",
            branch="refs/heads/main",
            overridden_codes=["review_policy_not_satisfied"],
            means={"change": "deployments"},
        )
        made = github.of_run(self.cast, self.run, A2)
        tale.run(
            "run",
            made,
            {
                "created_workflow_run": {"change": "deployments"},
                "prepared_workflow_job": {
                    "change": "deployments",
                    "stay": "lateral_movement",
                    "data": "read",
                    "dataset": f"{ORG}/shop secrets",
                },
            },
        )
        who, call = by_web_identity(self.cast, self.build, aws.OIDC, subject("shop"), self.run.runner, RUNNER_AGENT)
        tale.aws("oidc", self.build.begun, who, call, account=TOOLS)
        tale.github(
            "delete-run",
            at("02:44:30"),
            "workflows.delete_workflow_run",
            self._github(A1),
            repo="shop",
            workflow_run_id=self.run.id,
            means={"data": "delete", "dataset": f"{ORG}/shop runs"},
        )

    def _as(self, role: Role, ip: str = A2, agent: str = CLI) -> Who:
        return role.who(self.cast, ip, agent)

    def _into_production(self) -> None:
        """The job's session is used elsewhere, takes the deploy role in production and then an administrator's."""
        tale, build, deploy = self.tale, self._as(self.build), self._as(self.deploy)
        tale.aws(
            "whoami-1", at("02:47:02"), build, Call("sts", "GetCallerIdentity"), account=TOOLS, stay="lateral_movement"
        )
        tale.aws("list-buckets", at("02:47:40"), build, Call("s3", "ListBuckets"), account=TOOLS)
        shared = self.cast.uuid("shared", "attack")
        call = assume(self.cast, self.deploy, shared=shared)
        tale.aws("hop-deploy/tools", self.deploy.begun, build, call, account=TOOLS, stay="lateral_movement")
        foreign = {"type": "AWSAccount", "principalId": f"{self.cast.role_id(TOOLS, 'gha-build')}:GitHubActions"}
        tale.aws(
            "hop-deploy/prod",
            self.deploy.begun,
            Who(foreign | {"accountId": TOOLS}, A2, CLI),
            call,
            stay="lateral_movement",
        )
        tale.aws("whoami-2", at("02:52:30"), deploy, Call("sts", "GetCallerIdentity"))
        tale.aws("list-roles", at("02:53:00"), deploy, Call("iam", "ListRoles"), region=USE1)
        denied = Call("iam", "GetAccountAuthorizationDetails", error="AccessDenied")
        tale.aws("denied-details", at("02:53:20"), deploy, denied, region=USE1)
        tale.aws("hop-admin", self.admin.begun, deploy, assume(self.cast, self.admin), stay="lateral_movement")

    def _staging(self) -> None:
        """Meanwhile, through the console federation: little is allowed there."""
        tale, who = self.tale, self._as(self.developer, A1, aws.BROWSER)
        caller, call = by_saml(self.cast, self.mara, self.developer, A1)
        tale.aws("saml", self.developer.begun, caller, call, account=STAGING)
        tale.aws("list-clusters", at("02:51:00"), who, Call("eks", "ListClusters"), account=STAGING)
        users = Call("iam", "ListUsers", error="AccessDenied")
        tale.aws("denied-users", at("02:51:30"), who, users, account=STAGING, region=USE1)
        request = {"roleArn": arn(PROD, "role", "Operator"), "roleSessionName": "x"}
        tale.aws(
            "denied-hop", at("02:52:02"), who, Call("sts", "AssumeRole", request, error="AccessDenied"), account=STAGING
        )

    def _stay(self) -> None:
        """Second keys, a new administrator, a foreign account in an old trust."""
        admin = self._as(self.admin)

        def iam(label: str, clock: str, name: str, request: Any, response: Any, **means: Any) -> None:
            call = Call("iam", name, request, response, read=False)
            means = {"change": "access_grants", "stay": "persistence"} | means
            self.tale.aws(label, at(clock), admin, call, region=USE1, **means)

        planted = arn(PROD, "user", PLANTED)
        iam(
            "key",
            "03:02:11",
            "CreateAccessKey",
            {"userName": MACHINE},
            self._new_key(MACHINE, self.key),
            made=("access_key", self.key),
        )
        made = {"user": {"userName": PLANTED, "arn": planted, "path": "/", "userId": self.cast.user_id(PROD, PLANTED)}}
        iam("user", "03:03:30", "CreateUser", {"userName": PLANTED}, made, made=("user", planted))
        attached = {"userName": PLANTED, "policyArn": ADMIN_POLICY}
        iam(
            "attach",
            "03:03:52",
            "AttachUserPolicy",
            attached,
            None,
            made=("policy_attachment", f"{planted} {ADMIN_POLICY}"),
        )
        iam(
            "key2",
            "03:04:10",
            "CreateAccessKey",
            {"userName": PLANTED},
            self._new_key(PLANTED, self.key2),
            made=("access_key", self.key2),
        )
        document = trust_document(FOREIGN)
        iam(
            "trust",
            "03:05:44",
            "UpdateAssumeRolePolicy",
            {"roleName": "vendor-readonly", "policyDocument": document},
            None,
            made=("trust", f"{arn(PROD, 'role', 'vendor-readonly')} {FOREIGN}"),
        )

    def _new_key(self, name: str, key: str) -> dict[str, Any]:
        return {
            "accessKey": {
                "userName": name,
                "accessKeyId": key,
                "status": "Active",
                "createDate": "Oct 20, 2026, 3:02:11 AM",
            }
        }

    def leaked(self) -> Who:
        """The key made for the machine user, as the attacker uses it."""
        return user(self.cast, PROD, MACHINE, self.key, A2, CLI)

    def _data(self) -> None:
        """Secrets and customer exports, by the new key of the machine user."""
        tale, who = self.tale, self.leaked()
        tale.aws("whoami-3", at("03:18:30"), who, Call("sts", "GetCallerIdentity"), stay="lateral_movement")
        tale.aws("list-secrets", at("03:19:00"), who, Call("secretsmanager", "ListSecrets", {"maxResults": 100}))
        for number, name in enumerate((*SECRETS, *REFUSED)):
            call = calls.secret(name, EUC1, error="AccessDenied" if name in REFUSED else None)
            moment = at("03:20:00") + timedelta(seconds=6 * number)
            tale.aws(f"secret/{name}", moment, who, call, data="read", dataset=name)
        bucket = BUCKETS["exports"]
        listing = Call("s3", "ListObjects", {"bucketName": bucket, "Host": f"{bucket}.s3.amazonaws.com"}, data=True)
        tale.aws("list-objects", at("03:31:00"), who, listing, data="read", dataset=bucket)
        for number, name in enumerate(OBJECTS):
            call = s3("GetObject", bucket, name, read=True, account=PROD)
            tale.aws(
                f"object/{number}",
                at("03:31:10") + timedelta(seconds=4 * number),
                who,
                call,
                data="read",
                dataset=bucket,
            )

    def _snapshot(self) -> None:
        """A disk is copied out by sharing its snapshot."""
        tale, admin = self.tale, self._as(self.admin)
        created = Call(
            "ec2", "CreateSnapshot", {"volumeId": VOLUME}, {"snapshotId": SNAPSHOT, "volumeId": VOLUME}, read=False
        )
        tale.aws("snapshot", at("03:48:02"), admin, created, change="infrastructure", data="read", dataset=VOLUME)
        tale.aws(
            "share",
            at("03:52:40"),
            admin,
            share("add"),
            stay="lateral_movement",
            change="infrastructure",
            data="export",
            dataset=SNAPSHOT,
            made=("snapshot_share", f"{SNAPSHOT} {FOREIGN}"),
        )
        copied = Call(
            "ec2",
            "SharedSnapshotCopyInitiated",
            read=False,
            extra={
                "eventType": "AwsServiceEvent",
                "serviceEventDetails": {"snapshotId": SNAPSHOT, "requesterAccountId": FOREIGN},
            },
        )
        ec2 = Who({"invokedBy": "ec2.amazonaws.com"}, "ec2.amazonaws.com", "ec2.amazonaws.com")
        tale.aws("copied", at("03:58:11"), ec2, copied, stay="lateral_movement", data="export", dataset=SNAPSHOT)

    def _cluster(self) -> None:
        """The administrator's role is one in the cluster too."""
        tale = self.tale
        tale.aws("cluster", at("04:04:00"), self._as(self.admin), Call("eks", "DescribeCluster", {"name": CLUSTER}))
        who, read = k8s.from_role(self.cast, self.admin, ("system:masters",)), "read"
        tale.k8s(
            "k-list",
            at("04:05:10"),
            "list",
            "secrets",
            who,
            ip=A2,
            means={"data": read, "dataset": "secrets of the cluster"},
        )
        for number, name in enumerate(CLUSTER_SECRETS):
            moment = at("04:06:00") + timedelta(seconds=9 * number)
            tale.k8s(
                f"k-get/{name}", moment, "get", f"secrets:{name}", who, ip=A2, means={"data": read, "dataset": name}
            )
        grant = {"change": "access_grants", "stay": "persistence"}
        binding = "metrics-reader-2"
        tale.k8s(
            "k-binding",
            at("04:09:30"),
            "create",
            f"rbac.authorization.k8s.io/clusterrolebindings:/{binding}",
            who,
            ip=A2,
            requestObject=cluster_binding(binding),
            means=grant | {"made": ("cluster_role_binding", binding)},
        )
        tale.k8s(
            "k-token",
            at("04:11:02"),
            "create",
            "secrets:kube-system/metrics-token",
            who,
            ip=A2,
            requestObject=token_secret(),
            means=grant | {"made": ("secret", "kube-system/metrics-token")},
        )

    def _dark(self) -> None:
        """Logging is stopped in one region, and a password opens the console."""
        tale, admin = self.tale, self._as(self.admin)
        stop = Call("cloudtrail", "StopLogging", {"name": TRAIL_EUW1}, read=False)
        tale.aws(
            "stop",
            at("04:30:21"),
            admin,
            stop,
            region=EUW1,
            change="infrastructure",
            made=("stopped_trail", TRAIL_EUW1),
        )
        profile = Call(
            "iam",
            "CreateLoginProfile",
            {"userName": MACHINE, "passwordResetRequired": False},
            {"loginProfile": {"userName": MACHINE, "passwordResetRequired": False}},
            read=False,
        )
        machine = arn(PROD, "user", MACHINE)
        tale.aws(
            "profile",
            at("04:41:02"),
            admin,
            profile,
            region=USE1,
            change="access_grants",
            stay="persistence",
            made=("login_profile", machine),
        )
        console = console_user(self.cast, PROD, MACHINE, A3, mfa=False)
        signing = Who(
            {name: value for name, value in console.identity.items() if name not in {"accessKeyId", "sessionContext"}},
            A3,
            aws.BROWSER,
        )
        tale.aws("console", at("04:44:37"), signing, login(MACHINE, mfa=False), region=USE1, stay="lateral_movement")
        tale.aws("console-look", at("04:46:10"), console, Call("s3", "ListBuckets"))
        tale.aws("console-look-2", at("04:47:02"), console, Call("rds", "DescribeDBInstances"))

    def _again(self) -> None:
        """The next night the planted user sets the key active again; later the deploy key is used."""
        tale = self.tale
        planted = user(self.cast, PROD, PLANTED, self.key2, A2, CLI)
        tale.aws("whoami-4", at("01:38:00", 1), planted, Call("sts", "GetCallerIdentity"), stay="repeated_access")
        active = {"userName": MACHINE, "accessKeyId": self.key, "status": "Active"}
        undo = Call("iam", "UpdateAccessKey", active, read=False)
        tale.aws(
            "undo",
            at("01:40:15", 1),
            planted,
            undo,
            region=USE1,
            change="access_grants",
            stay="undo",
            made=("access_key", self.key),
        )
        for number, name in enumerate(("billing/ledger", "shop/payment-gateway", "shop/search")):
            moment = at("01:44:00", 1) + timedelta(seconds=5 * number)
            tale.aws(
                f"again/{name}",
                moment,
                self.leaked(),
                calls.secret(name, EUC1),
                stay="repeated_access",
                data="read",
                dataset=name,
            )
        key = {
            "actor": "deploy_key",
            "actor_ip": A1,
            "user_agent": github.GIT,
            "programmatic_access_type": "Deploy key",
        }
        tale.github(
            "key-clone",
            at("03:15:27", 2),
            "git.clone",
            key | {"deploy_key_fingerprint": DEPLOY_KEY},
            repo="shop",
            transport_protocol_name="ssh",
            means={"stay": "repeated_access", "data": "read", "dataset": f"{ORG}/shop"},
        )
