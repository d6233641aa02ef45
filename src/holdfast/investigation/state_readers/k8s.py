"""Kubernetes objects as captured: who holds which role, which workload uses which secret, image and account.

Rules:
1. Objects come alone or in a List; kinds that tell of trust are read, others become one gap by kind.
2. Of a Secret only its name, type and the names of its keys are kept: values never leave the document.
3. Uids are those of the audit log: ``system:serviceaccount:ns:name`` for service accounts; ``ns/secrets/name`` and
   ``ns/deployments/name`` for objects (namespace ``default`` where an object names none).
4. A grant's action is ``resource:verb`` and its resource ``ns/name``, with ``*`` for all (RBAC guide).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from holdfast.investigation.access_levels import kubernetes_level
from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof
from holdfast.investigation.state_readers._rows import Row, Rows, mappings, table, words

Value = Mapping[str, Any]
_IRSA = "eks.amazonaws.com/role-arn"


def _objects(value: object) -> list[Value]:
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return []
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        # Within a typed list (SecretList) the objects leave out their kind.
        kind = value["kind"].removesuffix("List")
        version = value.get("apiVersion")
        return [{"kind": kind, "apiVersion": version, **one} for one in mappings(value["items"])]
    return [value]


def _recognises(value: object) -> bool:
    if not (isinstance(value, Mapping) and isinstance(value.get("apiVersion"), str)):
        return False
    if str(value["apiVersion"]).startswith("audit.k8s.io/"):
        return False
    return isinstance(value.get("kind"), str) and (
        isinstance(value.get("metadata"), Mapping) or isinstance(value.get("items"), list)
    )


def _tables(value: Value, origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    unread: dict[str, int] = {}
    for one in _objects(value):
        kind = str(one["kind"])
        read = _READ.get(kind)
        if read is None:
            unread[kind] = unread.get(kind, 0) + 1
        else:
            read(rows, one)
    for kind, count in sorted(unread.items()):
        rows.gap("kind of object", kind, f"{count} of this kind, which tells nothing that is read here")
    if table(value.get("metadata")).get("continue"):
        rows.gap("truncated", origin.path, "the list goes on: what is on the next pages is not in this document")
    return rows.tables()


def _place(value: Value) -> tuple[str, str]:
    metadata = table(value.get("metadata"))
    return str(metadata.get("namespace") or "default"), str(metadata.get("name") or metadata.get("generateName"))


def _account(namespace: str, name: str) -> tuple[str, str]:
    return f"system:serviceaccount:{namespace}:{name}", "service_account"


def _secret_uid(namespace: str, name: object) -> tuple[str, str]:
    return f"{namespace}/secrets/{name}", "secret"


def _role(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    wide = value["kind"] == "ClusterRole"
    uid = f"clusterroles/{name}" if wide else f"{namespace}/roles/{name}"
    for rule in mappings(value.get("rules")):
        for action, level in _actions(rule):
            for resource in words(rule.get("resourceNames")) or ["*"]:
                rows.grant(
                    holder_uid=uid,
                    effect="allow",
                    service="k8s",
                    action=action,
                    resource=f"{'*' if wide else namespace}/{resource}",
                    access_level=level,
                    via=uid,
                )
    if value.get("aggregationRule"):
        rows.gap("policy", uid, "an aggregated role: the rules it takes from other roles are theirs")


def _actions(rule: Value) -> list[tuple[str, str]]:
    groups = words(rule.get("apiGroups")) or [""]
    suffixes = ["" if group in ("", "*") else f".{group}" for group in groups]
    return [
        (f"{resource}{suffix}:{verb}", kubernetes_level(resource, verb))
        for resource in words(rule.get("resources"))
        for suffix in suffixes
        for verb in words(rule.get("verbs"))
    ]


def _binding(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    reference = table(value.get("roleRef"))
    wide = value["kind"] == "ClusterRoleBinding"
    named = reference.get("name")
    role = f"clusterroles/{named}" if reference.get("kind") == "ClusterRole" else f"{namespace}/roles/{named}"
    where = None if wide else {"namespace": namespace}
    if named == "cluster-admin":
        # Made by every cluster itself (RBAC guide, default roles), so it is often not captured.
        _grant_all(rows, role)
    for subject in mappings(value.get("subjects")):
        kind, who = str(subject.get("kind")), str(subject.get("name"))
        holder = (
            _account(str(subject.get("namespace") or namespace), who)
            if kind == "ServiceAccount"
            else (who, "group" if kind == "Group" else "user")
        )
        rows.edge(holder, "attached", (role, "k8s_role"), where)
    rows.item(f"{'' if wide else namespace + '/'}{name}", "binding", role=role)


def _grant_all(rows: Rows, role: str) -> None:
    rows.grant(
        holder_uid=role, effect="allow", service="k8s", action="*:*", resource="*/*", access_level="all", via=role
    )


def _service_account(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    uid = _account(namespace, name)
    rows.item(*uid, automount=value.get("automountServiceAccountToken"))
    cloud = table(table(value.get("metadata")).get("annotations")).get(_IRSA)
    if cloud:
        rows.edge(uid, "assumes", (str(cloud), "role"))
    for secret in mappings(value.get("secrets")):
        rows.edge(_secret_uid(namespace, secret.get("name")), "signs_in_as", uid)
    for secret in mappings(value.get("imagePullSecrets")):
        rows.edge(uid, "reads_secret", _secret_uid(namespace, secret.get("name")))


def _secret(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    uid = _secret_uid(namespace, name)
    keys = sorted({*table(value.get("data")), *table(value.get("stringData"))})
    rows.item(
        *uid,
        secret_type=value.get("type"),
        keys=keys or None,
        created=table(value.get("metadata")).get("creationTimestamp"),
        immutable=value.get("immutable"),
    )
    owner = table(table(value.get("metadata")).get("annotations")).get("kubernetes.io/service-account.name")
    if value.get("type") == "kubernetes.io/service-account-token" and owner:
        rows.edge(uid, "signs_in_as", _account(namespace, str(owner)))


_PLURALS = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "ReplicaSet": "replicasets",
    "Job": "jobs",
    "CronJob": "cronjobs",
    "Pod": "pods",
}


def _workload(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    kind = str(value["kind"])
    uid = (f"{namespace}/{_PLURALS[kind]}/{name}", "workload")
    spec = table(value.get("spec"))
    if kind == "CronJob":
        spec = table(table(spec.get("jobTemplate")).get("spec"))
    pod = spec if kind == "Pod" else table(table(spec.get("template")).get("spec"))
    rows.item(*uid, host_network=pod.get("hostNetwork"), host_pid=pod.get("hostPID"))
    rows.edge(uid, "runs_as", _account(namespace, str(pod.get("serviceAccountName") or "default")))
    for secret in mappings(pod.get("imagePullSecrets")):
        rows.edge(uid, "reads_secret", _secret_uid(namespace, secret.get("name")), {"as": "image pull secret"})
    for volume in mappings(pod.get("volumes")):
        _volume(rows, uid, namespace, volume)
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container in mappings(pod.get(key)):
            _container(rows, uid, namespace, container)


def _volume(rows: Rows, uid: tuple[str, str], namespace: str, volume: Value) -> None:
    how = {"as": f"volume {volume.get('name')}"}
    secret = table(volume.get("secret")).get("secretName")
    if secret:
        rows.edge(uid, "reads_secret", _secret_uid(namespace, secret), how)
    for source in mappings(table(volume.get("projected")).get("sources")):
        if table(source.get("secret")).get("name"):
            rows.edge(uid, "reads_secret", _secret_uid(namespace, source["secret"]["name"]), how)
    csi = table(volume.get("csi"))
    provider = table(csi.get("volumeAttributes")).get("secretProviderClass")
    if provider:
        rows.edge(uid, "reads_secret", (f"{namespace}/secretproviderclasses/{provider}", "secret"), how)
    if volume.get("hostPath"):
        rows.item(*uid, host_path=table(volume["hostPath"]).get("path"))


def _container(rows: Rows, uid: tuple[str, str], namespace: str, container: Value) -> None:
    image = container.get("image")
    if isinstance(image, str):
        rows.edge(uid, "pulls", (image, "image"))
        rows.item(image, "image", pinned="@sha256:" in image)
    for variable in mappings(container.get("env")):
        reference = table(table(variable.get("valueFrom")).get("secretKeyRef"))
        if reference:
            how = {"as": f"environment variable {variable.get('name')}", "key": reference.get("key")}
            rows.edge(uid, "reads_secret", _secret_uid(namespace, reference.get("name")), how)
    for source in mappings(container.get("envFrom")):
        reference = table(source.get("secretRef"))
        if reference:
            rows.edge(uid, "reads_secret", _secret_uid(namespace, reference.get("name")), {"as": "environment"})
    if table(container.get("securityContext")).get("privileged"):
        rows.item(*uid, privileged=True)


def _external_secret(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    spec = table(value.get("spec"))
    target = table(spec.get("target")).get("name") or name
    keys = [table(one.get("remoteRef")).get("key") for one in mappings(spec.get("data"))]
    keys += [table(one.get("extract")).get("key") for one in mappings(spec.get("dataFrom"))]
    for key in keys:
        if key:
            rows.edge(_secret_uid(namespace, target), "copied_from", (str(key), "secret"))
    store = table(spec.get("secretStoreRef")).get("name")
    rows.item(*_secret_uid(namespace, target), store=store)


def _provider_class(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    uid = (f"{namespace}/secretproviderclasses/{name}", "secret")
    spec = table(value.get("spec"))
    rows.item(*uid, provider=spec.get("provider"))
    for target in mappings(spec.get("secretObjects")):
        rows.edge(_secret_uid(namespace, target.get("secretName")), "copied_from", uid)
    if table(spec.get("parameters")).get("objects"):
        rows.gap("kind of object", uid[0], "the outside secrets it names are text of its provider and were not read")


def _ingress(rows: Rows, value: Value) -> None:
    namespace, name = _place(value)
    uid = (f"{namespace}/ingresses/{name}", "ingress")
    for tls in mappings(table(value.get("spec")).get("tls")):
        if tls.get("secretName"):
            rows.edge(uid, "reads_secret", _secret_uid(namespace, tls["secretName"]), {"hosts": tls.get("hosts")})
    hosts = [rule.get("host") for rule in mappings(table(value.get("spec")).get("rules"))]
    rows.item(*uid, hosts=[host for host in hosts if host] or None)


_READ: Mapping[str, Callable[[Rows, Value], None]] = {
    "Role": _role,
    "ClusterRole": _role,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "ServiceAccount": _service_account,
    "Secret": _secret,
    "ExternalSecret": _external_secret,
    "SecretProviderClass": _provider_class,
    "Ingress": _ingress,
    **dict.fromkeys(_PLURALS, _workload),
}

READER = StateReader(
    "k8s.manifest",
    "Kubernetes objects: roles, bindings, accounts, secrets by name, workloads, ingresses",
    Proof("vendor_schema", "https://kubernetes.io/docs/reference/kubernetes-api/ (v1.34); fields of the typed clients"),
    _recognises,
    _tables,
)
