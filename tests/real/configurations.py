"""What the real servers are told: small, on this machine only, with ``{folder}`` and ``{port}`` to be filled in."""

from __future__ import annotations

SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload accesslog
database mdb
suffix cn=log
directory {folder}/log
rootdn cn=admin,dc=corp
database mdb
suffix dc=corp
directory {folder}/db
rootdn cn=admin,dc=corp
rootpw root-secret
overlay accesslog
logdb cn=log
logops all
logsuccess FALSE
logold (objectClass=*)
"""

ENTRIES = """dn: dc=corp
objectClass: dcObject
objectClass: organization
o: corp
dc: corp

dn: uid=alice,dc=corp
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: \u00c4rne
userPassword: first-secret
"""

KEYSTONE = """
[DEFAULT]
notification_format = cadf
notification_opt_out = identity.authenticate.pending
log_file = {folder}/keystone.log
[oslo_messaging_notifications]
driver = log
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[identity]
password_hash_rounds = 4
"""

SERVE = """
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
port = int(sys.argv.pop())
from keystone.server import wsgi
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass
make_server("127.0.0.1", port, wsgi.initialize_public_application(), Server, Quiet).serve_forever()
"""

MASTER = """
from buildbot.plugins import *
def steps_of(*command):
    return util.BuildFactory([steps.ShellCommand(command=list(command), env={{"TOKEN": util.Secret("token")}})])
c = BuildmasterConfig = {{
    "workers": [worker.LocalWorker("w1", max_builds=2)],
    "protocols": {{"null": {{}}}},
    "secretsProviders": [secrets.SecretInAFile(dirname="{folder}/secrets")],
    "schedulers": [schedulers.ForceScheduler(name="force-deploy", builderNames=["deploy"]),
                   schedulers.ForceScheduler(name="force-leak", builderNames=["leak"])],
    "builders": [util.BuilderConfig(name="deploy", workernames=["w1"], factory=steps_of("sleep", "60")),
                 util.BuilderConfig(name="leak", workernames=["w1"], factory=steps_of("sh", "-c", "echo $TOKEN"))],
    "www": dict(port="tcp:{port}:interface=127.0.0.1", plugins={{}},
                auth=util.UserPasswordAuth({{"alice": "user-secret"}}),
                authz=util.Authz(allowRules=[util.AnyControlEndpointMatcher(role="admins")],
                                 roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["alice"])])),
    "db": {{"db_url": "sqlite:///state.sqlite"}},
    "buildbotURL": "http://127.0.0.1:{port}/",
    "buildbotNetUsageData": None,
}}
"""

NGINX = """
daemon off;
user {user};
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "hello"; }}
        location /private {{ auth_basic "private"; auth_basic_user_file {folder}/users; try_files $uri =404; }}
    }}
}}
"""

AUDITD = """
local_events = yes
write_logs = yes
log_file = {folder}/audit.log
log_group = root
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 1
max_log_file = 8
num_logs = 2
max_log_file_action = IGNORE
space_left = 2
space_left_action = IGNORE
admin_space_left = 1
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
"""
