"""hostile.py make|try|plain FOLDER NAMESPACE [SEED] : every path of an API server's discovery with every verb, each in several spellings that a proxy and a
server may read differently. What is written has the word h0stile in its name or in it. FOLDER has
NAME.url, NAME.crt, NAME.token of `maker`, `direct` and `proxy`; csr: a certificate signing request.
make: an object `there` of each kind, at the API server itself. plain: a few writes as any client makes them, at the API server itself.
try: all of it, through the proxy. Counts go to stdout as JSON, what each spelling was answered to FOLDER/spellings.json."""
import base64, collections, copy, json, os, queue, random, re, socket, ssl, sys, threading, time, traceback, urllib.parse

MODE, FOLDER, NS = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
THREADS, SPELLINGS, PATIENCE = 8, 12, 100  # longer than the proxy gives the API server
JSON, MARK = "application/json", "h0stile"
PATCHES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"]
CONNECT = ["exec", "attach", "portforward", "proxy"]


def read(name, mode="r"):
    with open(os.path.join(FOLDER, name), mode) as f:
        return f.read()


# ---- one connection ----
class Wire:
    """Requests are bytes, answers statuses. One that was closed is opened again."""

    def __init__(self, to):
        url = urllib.parse.urlsplit(read(to + ".url").strip())
        self.host, self.port, self.token, self.s = url.hostname, url.port or 443, read(to + ".token").strip(), None
        self.tls = ssl.create_default_context(cafile=os.path.join(FOLDER, to + ".crt"))

    def open(self):
        s = socket.create_connection((self.host, self.port), PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s, self.got = self.tls.wrap_socket(s, server_hostname=self.host), b""

    def close(self):
        if self.s:
            self.s.close()
        self.s = None

    def more(self):
        part = self.s.recv(1 << 16)
        if not part:
            raise EOFError
        self.got += part

    def line(self, end):
        while end not in self.got:
            self.more()
        line, _, self.got = self.got.partition(end)
        return line

    def take(self, n):
        while len(self.got) < n:
            self.more()
        part, self.got = self.got[:n], self.got[n:]
        return part

    def answer(self, method, head_only):
        head = self.line(b"\r\n\r\n").decode("latin-1")
        status, low = int(head.split(" ", 2)[1]), head.lower() + "\r\n"
        if 100 <= status < 200:
            return self.answer(method, head_only)
        length, body = re.search(r"\ncontent-length: *(\d+)\r", low), b""
        if head_only:
            self.close()
        elif method == "HEAD" or status in (204, 304):
            pass
        elif "transfer-encoding: chunked" in low:
            while n := int(self.line(b"\r\n"), 16):
                body += self.take(n)
                self.take(2)
            self.take(2)
        elif length:
            body = self.take(int(length[1]))
        else:
            try:
                while True:
                    self.more()
            except EOFError:
                body, self.got = self.got, b""
        if self.s and "connection: close" in low:
            self.close()
        return status, body

    def send(self, data, method="GET", answers=1, fresh=False, cut=False, head_only=False, patience=PATIENCE):
        """The statuses of at most so many answers; "closed" for none, "silent" for none in time; and the last body."""
        statuses, body = [], b""
        for again in (False, True):
            if fresh or again:
                self.close()
            old = self.s is not None
            try:
                if not self.s:
                    self.open()
                self.s.settimeout(patience)
                for part in data if isinstance(data, list) else [data]:
                    self.s.sendall(part)
                    if isinstance(data, list):
                        time.sleep(0.002)
                if cut:
                    self.close()
                    return ["cut"], b""
                while self.s and len(statuses) < answers:
                    status, body = self.answer(method, head_only)
                    statuses.append(status)
                break
            except TimeoutError:
                self.close()
                statuses = statuses or ["silent"]
                break
            except (EOFError, ConnectionError, ssl.SSLError):
                self.close()
                if statuses or not old or fresh:  # else an idle connection that had ended
                    statuses = statuses or ["closed"]
                    break
        if fresh or answers > 1:
            self.close()
        return statuses, body

    def json(self, method, target, obj=None, kind=JSON):
        r = Request(self, method, target, obj if obj is None else json.dumps(obj).encode(), kind)
        (status,), body = self.send(r.bytes(), method)
        return status, json.loads(body) if body[:1] == b"{" else {}


class Request:
    def __init__(self, wire, method, path, body=None, kind=None, query=""):
        self.wire, self.method, self.path, self.body, self.query = wire, method, path, body, query
        self.kind = kind if body is not None else None
        self.version, self.headers, self.raw = "HTTP/1.1", [], None
        self.answers, self.fresh, self.cut, self.head_only, self.patience = 1, False, False, False, PATIENCE
        self.auth = "Bearer " + wire.token

    def target(self):
        return self.path + ("?" + self.query if self.query else "")

    def fields(self, length=True):
        h = [("Host", f"{self.wire.host}:{self.wire.port}")] if not any(n == "Host" for n, _ in self.headers) else []
        h += [("Authorization", self.auth), ("Accept", JSON)] + ([("Content-Type", self.kind)] if self.kind else []) + self.headers
        return h + ([("Content-Length", str(len(self.body)))] if length and self.body is not None else [])

    def head(self, length=True, extra="", end="\r\n"):
        return (f"{self.method} {self.target()} {self.version}{end}" + "".join(f"{n}: {v}{end}" for n, v in self.fields(length)) + extra + end).encode("latin-1")

    def bytes(self):
        return self.raw or self.head() + (self.body or b"")


# ---- what there is ----
class Resource:
    def __init__(self, prefix, entry):
        self.prefix, self.kind, self.namespaced, self.verbs = prefix, entry["kind"], entry["namespaced"], entry["verbs"]
        self.name, _, self.sub = entry["name"].partition("/")
        self.group, self.version = ("", "v1") if prefix == "/api/v1" else prefix.split("/")[2:4]
        self.api = (entry.get("group") or self.group, entry.get("version") or self.version) if self.sub else (self.group, self.version)
        self.existing = None

    def collection(self):
        return self.prefix + (f"/namespaces/{NS}" if self.namespaced else "") + "/" + self.name

    def object(self, name):
        return f"{self.collection()}/{name}" + ("/" + self.sub if self.sub else "")


def discover(w):
    prefixes = ["/api/v1"]
    for g in w.json("GET", "/apis")[1]["groups"]:
        prefixes += ["/apis/" + v["groupVersion"] for v in g["versions"]]
    return [Resource(p, e) for p in prefixes for e in w.json("GET", p)[1].get("resources", [])]


POD = {"spec": {"schedulerName": "none", "automountServiceAccountToken": False, "containers": [{"name": "c", "image": "none"}]}}
TEMPLATE = {"metadata": {"labels": {"app": MARK[:1]}}, **POD}
RUNS = {"selector": {"matchLabels": {"app": MARK[:1]}}, "template": {**TEMPLATE, "spec": {**POD["spec"], "automountServiceAccountToken": None}}}
RULE = {"apiGroups": ["none"], "resources": ["none"], "verbs": ["get"]}
CLAIM = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "none"}}]}}


def template(r, name):
    """A body that the API server takes, of the kinds of which one can be made without consequences."""
    word = re.sub("[^a-z0-9]", "", name)
    role = {"apiGroup": "rbac.authorization.k8s.io", "name": "none"}
    policy = {"matchConstraints": {"resourceRules": [{**RULE, "apiVersions": ["v1"], "operations": ["CREATE"], "verbs": None}]}}
    t = {
        "Pod": POD, "PodTemplate": {"template": TEMPLATE}, "Deployment": {"spec": {"replicas": 0, **RUNS}}, "ReplicaSet": {"spec": {"replicas": 0, **RUNS}},
        "StatefulSet": {"spec": {"replicas": 0, "serviceName": "none", **RUNS}},
        "DaemonSet": {"spec": {**RUNS, "template": {**TEMPLATE, "spec": {**POD["spec"], "nodeSelector": {"no": "where"}}}}},
        "ReplicationController": {"spec": {"replicas": 0, "selector": {"app": MARK[:1]}, "template": TEMPLATE}},
        "Job": {"spec": {"suspend": True, "template": {"spec": {**POD["spec"], "restartPolicy": "Never"}}}},
        "CronJob": {"spec": {"suspend": True, "schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": {**POD["spec"], "restartPolicy": "Never"}}}}}},
        "ConfigMap": {"data": {"k": "v"}}, "Secret": {"stringData": {"k": "v"}}, "ServiceAccount": {}, "Namespace": {}, "Node": {"spec": {"unschedulable": True}},
        "Service": {"spec": {"type": "NodePort", "ports": [{"port": 80}]}}, "Endpoints": {"subsets": []}, "LimitRange": {"spec": {"limits": []}},
        "ResourceQuota": {"spec": {"hard": {"count/configmaps": "1000", "pods": "1000", "services.nodeports": "1000"}}},
        "PersistentVolume": {"spec": {"capacity": {"storage": "1"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/none"}, "storageClassName": "none-" + word}},
        "PersistentVolumeClaim": {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": "none", "resources": {"requests": {"storage": "1"}}}},
        "Event": {"involvedObject": {"namespace": NS, "kind": "Pod", "name": "none"}, "reason": "None", "type": "Normal", "message": "none"},
        "Event.events.k8s.io": {"eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "none/none", "reportingInstance": "none", "action": "None", "reason": "None",
                                "type": "Normal", "regarding": {"namespace": NS, "kind": "Pod", "name": "none"}},
        "ControllerRevision": {"revision": 1, "data": {"a": 1}}, "Lease": {"spec": {"holderIdentity": name}},
        "PodDisruptionBudget": {"spec": {"minAvailable": 0, "selector": {"matchLabels": {"app": "none"}}}},
        "HorizontalPodAutoscaler": {"spec": {"maxReplicas": 1, "minReplicas": 1, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}}},
        "NetworkPolicy": {"spec": {"podSelector": {}}}, "Ingress": {"spec": {"ingressClassName": "none", "defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
        "IngressClass": {"spec": {"controller": "example.com/none"}}, "EndpointSlice": {"addressType": "IPv4", "endpoints": [], "ports": []},
        "Role": {"rules": [RULE]}, "ClusterRole": {"rules": [RULE]}, "RoleBinding": {"roleRef": {**role, "kind": "Role"}, "subjects": []},
        "ClusterRoleBinding": {"roleRef": {**role, "kind": "ClusterRole"}, "subjects": []},
        "StorageClass": {"provisioner": "example.com/none"}, "CSIDriver": {"spec": {"attachRequired": False}}, "CSINode": {"spec": {"drivers": []}},
        "CSIStorageCapacity": {"storageClassName": "none", "capacity": "1"}, "VolumeAttributesClass": {"driverName": "example.com", "parameters": {"a": "b"}},
        "VolumeAttachment": {"spec": {"attacher": "example.com", "nodeName": "none", "source": {"persistentVolumeName": "none"}}},
        "PriorityClass": {"value": 1}, "RuntimeClass": {"handler": "none"}, "FlowSchema": {"spec": {"matchingPrecedence": 9999, "priorityLevelConfiguration": {"name": "exempt"}, "rules": []}},
        "PriorityLevelConfiguration": {"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "limitResponse": {"type": "Reject"}}}},
        "ValidatingWebhookConfiguration": {"webhooks": []}, "MutatingWebhookConfiguration": {"webhooks": []},
        "ValidatingAdmissionPolicy": {"spec": {**policy, "validations": [{"expression": "true"}]}},
        "ValidatingAdmissionPolicyBinding": {"spec": {"policyName": "none", "validationActions": ["Audit"]}},
        "MutatingAdmissionPolicy": {"spec": {**policy, "reinvocationPolicy": "Never", "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}]}},
        "MutatingAdmissionPolicyBinding": {"spec": {"policyName": "none"}},
        "CertificateSigningRequest": {"spec": {"request": base64.b64encode(read("csr", "rb")).decode(), "signerName": "example.com/none", "usages": ["client auth"]}},
        "CustomResourceDefinition": {"spec": {"group": "things.example.com", "scope": "Namespaced", "names": {"kind": word.capitalize(), "plural": word + "s", "singular": word}, "versions": [{
            "name": "v1", "served": True, "storage": True, "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}},
        "There": {"spec": {"replicas": 0}}, "APIService": {"spec": {"group": word + ".example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}},
        "ResourceClaim": {"spec": CLAIM}, "ResourceClaimTemplate": {"spec": {"spec": CLAIM}}, "DeviceClass": {"spec": {}},
        "ResourceSlice": {"spec": {"driver": "example.com", "nodeName": "none", "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1}}},
        "ServiceCIDR": {"spec": {"cidrs": ["198.51.100.0/24"]}},
    }
    body = t.get(f"{r.kind}.{r.group}") or t.get(r.kind)
    known, body = body is not None, copy.deepcopy(body or {"spec": {}})
    full = {"CustomResourceDefinition": word + "s.things.example.com", "APIService": f"v1.{word}.example.com", "IPAddress": "192.0.2.7"}.get(r.kind, name)
    body.update(apiVersion=(r.api[0] + "/" if r.api[0] else "") + r.api[1], kind=r.kind, metadata={"name": full, **({"namespace": NS} if r.namespaced else {})})
    return known, body


UNMADE = {"ServiceCIDR"}  # they would be looked at by the allocators of Services


def make():
    w, made, failed = Wire("maker"), set(), []
    for again in range(60):
        resources = [r for r in discover(w) if not r.sub and "create" in r.verbs]
        for r in resources:
            known, body = template(r, "there")
            if not known or r.kind in UNMADE or (r.group, r.name) in made:
                continue
            status, answer = w.json("POST", r.collection(), body)
            made.add((r.group, r.name))
            if status not in (200, 201, 409):
                failed.append([r.group, r.name, status, answer.get("message")])
        if ("things.example.com", "theres") in made:
            break
        time.sleep(0.5)
    print(json.dumps({"made": len(made) - len(failed), "failed": failed}))
    return 1 if failed else 0


def plain():
    w, out = Wire("direct"), collections.Counter()
    cm, secret = (f"/api/v1/namespaces/{NS}/{x}" for x in ("configmaps", "secrets"))
    for method, path, obj, kind in [
            ("POST", cm, {"metadata": {"name": MARK}}, JSON), ("PUT", cm + "/there", {"metadata": {"name": "there"}, "data": {"k": MARK}}, JSON),
            ("PATCH", f"/apis/apps/v1/namespaces/{NS}/deployments/there", {"metadata": {"annotations": {MARK: "1"}}}, PATCHES[1]), ("DELETE", secret + "/there", None, None)]:
        out[w.json(method, path, obj, kind)[0]] += 1
    print(json.dumps(out))
    return 0


# ---- spellings ----
SPELLED = {}  # name: what it makes of a Request; it may be put to any


def spelling(name):
    def of(fn):
        SPELLED[name] = fn
        return fn
    return of


def each(what, table, fn):
    for key, value in table.items() if isinstance(table, dict) else ((x, x) for x in table):
        SPELLED[f"{what} {key}"] = lambda r, rng, value=value: fn(r, rng, value)


def set_method(r, rng, fn):
    r.method = fn(r.method)


each("method", {"in lower case": str.lower, "in odd case": lambda m: m[0] + m[1:].lower(), "with a blank": lambda m: m + " ", "after a blank": lambda m: " " + m,
                "with a tab": lambda m: m + "\t", "cut": lambda m: m[:-1], "twice": lambda m: m + m, "with a NUL": lambda m: m + "\0", "with a slash": lambda m: m + "/",
                **{w: lambda m, w=w: w for w in ["MERGE", "CONNECT", "OPTIONS", "TRACE", "HEAD", "PROPPATCH", "MKCOL", "MOVE", "LINK", "QUERY", "X", ""]}}, set_method)


def encode(text, at):
    return text[:at] + "%%%02X" % ord(text[at]) + text[at + 1:]


def at_slash(path, rng, put, instead=False):
    at = rng.choice([i for i, c in enumerate(path) if c == "/"])
    return path[:at] + put + path[at + instead:]


def letter(path, rng):
    return rng.choice([i for i, c in enumerate(path) if c != "/"] or [0])


def set_path(r, rng, fn):
    r.path = fn(r.path, rng)


each("path", {
    "with an encoded letter": lambda p, g: encode(p, letter(p, g)), "all encoded": lambda p, g: "".join(c if c == "/" else "%%%02x" % ord(c) for c in p),
    "with an encoded slash": lambda p, g: at_slash(p, g, "%2F", True), "with a slash encoded twice": lambda p, g: at_slash(p, g, "%252f", True),
    "with a letter encoded twice": lambda p, g: encode(p, letter(p, g)).replace("%", "%25", 1), "with //": lambda p, g: at_slash(p, g, "/"), "from // on": lambda p, g: "/" + p,
    "with /./": lambda p, g: at_slash(p, g, "/."), "with /%2e/": lambda p, g: at_slash(p, g, "/%2e"), "with /../": lambda p, g: at_slash(p, g, "/x/.."),
    "with /%2E%2E/": lambda p, g: at_slash(p, g, "/x/%2E%2e"), "from /.. on": lambda p, g: "/.." + p, "below a read": lambda p, g: "/version/.." + p, "below /healthz": lambda p, g: "/healthz/..%2f.." + p,
    "with a slash behind": lambda p, g: p + "/", "with // behind": lambda p, g: p + "//", "with /. behind": lambda p, g: p + "/.", "with a dot behind": lambda p, g: p + ".",
    "with %20 behind": lambda p, g: p + "%20", "with %00 behind": lambda p, g: p + "%00", "with %0a behind": lambda p, g: p + "%0aX:%20y", "with a header in it": lambda p, g: p + "%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0a",
    "with parameters of its own": lambda p, g: at_slash(p, g, ";dryRun=All"), "with a semicolon": lambda p, g: p + ";a=b", "with a backslash": lambda p, g: at_slash(p, g, "\\", True), "with %5c": lambda p, g: at_slash(p, g, "%5C", True),
    "in upper case": lambda p, g: p.upper(), "with a capital": lambda p, g: p.replace("/api", "/Api", 1), "with a fragment": lambda p, g: p + "#x", "with an encoded ?": lambda p, g: p + "%3FdryRun=All", "with an encoded #": lambda p, g: p + "%23",
    "with bytes that are no UTF-8": lambda p, g: p + "%ff%fe", "with an overlong slash": lambda p, g: at_slash(p, g, "%c0%af", True), "with a half percent": lambda p, g: p + "%", "with %zz": lambda p, g: p + "%zz", "with a NUL": lambda p, g: p + "\0",
    "with raw bytes": lambda p, g: p + "\xe9\xff", "absolute": lambda p, g: f"https://127.0.0.1{p}", "absolute, plain": lambda p, g: f"http://kubernetes.default.svc{p}", "absolute, elsewhere": lambda p, g: f"https://user@192.0.2.1:1{p}",
    "absolute, in capitals": lambda p, g: f"HTTPS://127.0.0.1{p}", "without a slash": lambda p, g: p[1:], "of a star": lambda p, g: "*" + p, "with * for the name": lambda p, g: p.rsplit("/", 1)[0] + "/*", "as an authority": lambda p, g: "127.0.0.1:443",
    "below watch": lambda p, g: re.sub("^(/api/v1|/apis/[^/]*/[^/]*)", r"\1/watch", p), "below proxy": lambda p, g: re.sub("^(/api/v1|/apis/[^/]*/[^/]*)", r"\1/proxy", p),
    "below redirect": lambda p, g: re.sub("^(/api/v1|/apis/[^/]*/[^/]*)", r"\1/redirect", p), "of another namespace in it": lambda p, g: p.replace(f"namespaces/{NS}", f"namespaces/default/../{NS}"),
    "of the node's proxy": lambda p, g: "/api/v1/nodes/there/proxy" + p, "of a service's proxy": lambda p, g: f"/api/v1/namespaces/{NS}/services/https:there:80/proxy" + p,
    "with 70 KB": lambda p, g: p + "/" + "x" * 70000, "with 40 segments": lambda p, g: p + "/x" * 40}, set_path)


def set_query(r, rng, q):
    r.query = (r.query + "&" if r.query and q[:1] != "&" else r.query) + q


each("query", [
    "dryRun", "dryRun=", "dryRun=None", "dryRun=none", "dryRun=all", "dryRun=ALL", "dryRun=false", "dryRun=All", "dryRun=All&dryRun=", "dryRun=&dryRun=All", "dryRun=All&dryRun=All", "dryRun=All&dryRun=None", "dryrun=All",
    "DryRun=All", "dryRun=%41ll", "dryRun=A%6cl", "dry%52un=All", "%64ryRun=None", "dryRun%3DAll", "dryRun=All%20", "dryRun=All+", "dryRun=All,None", "dryRun=All;x=1", "pretty=1;dryRun=All", "pretty=1;dryRun=None", "dryRun[]=All",
    "dryRun[0]=All", "dryRun=%5B%22All%22%5D", "dryRun=All%00", "dryRun%00=All", "+dryRun=All", "%20dryRun=None", "dryRun=All#", "dryRun==All", "dryRun='All'", "?dryRun=All", "&&dryRun=None&&", "pretty=1&dryRun=All", "dryRun=All&fieldManager=h0stile",
    "fieldManager=a%26dryRun%3DNone", "fieldManager=a%26dryRun=None", "fieldManager=h0stile%23", "fieldManager=%0d%0aX:%20y", "fieldManager=h0stile", "fieldManager=a&fieldManager=b", "fieldValidation=Ignore", "fieldValidation=a%26dryRun%3D", "force=true",
    "_method=DELETE", "_method=PUT&dryRun=All", "method=POST", "X-HTTP-Method-Override=DELETE", "watch=1", "watch=true&timeoutSeconds=1", "watch=1&dryRun=All", "timeoutSeconds=1", "resourceVersion=0", "labelSelector=a%26dryRun%3D", "labelSelector=!none",
    "fieldSelector=metadata.name%3Dthere%26dryRun=", "limit=1", "limit=1&continue=x", "gracePeriodSeconds=0", "gracePeriodSeconds=0&propagationPolicy=Foreground", "propagationPolicy=Background%26dryRun", "orphanDependents=true", "command=touch&command=/h0stile",
    "stdin=true&tty=1", "ports=80", "pretty=true", "timeout=1s", "x=1", "a" * 3000 + "=1", "&".join(f"p{i}=1" for i in range(80)), "sendInitialEvents=true", "ignoreStoreReadErrorWithClusterBreakingPotential=true",
    "kind=DeleteOptions&apiVersion=v1&dryRun=", "\xe9=1", "\0", "fieldManager=\0", "%", "fieldManager=%ff"], set_query)


def set_headers(r, rng, headers):
    r.headers += headers


H2 = [("HTTP2-Settings", "AAMAAABkAAQAAP__")]
WEBSOCKET = [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", "v5.channel.k8s.io")]
each("headers", {
    "of a WebSocket": [("Connection", "Upgrade"), ("Upgrade", "websocket")] + WEBSOCKET, "of a WebSocket, without Connection": [("Upgrade", "websocket")] + WEBSOCKET, "of SPDY": [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "v4.channel.k8s.io")],
    "of h2c": [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c")] + H2, "with Connection: Upgrade": [("Connection", "Upgrade")], "with Connection: keep-alive, upgrade": [("Connection", "keep-alive, uPgRaDe")], "with two Upgrades": [("Upgrade", "h2c"), ("Upgrade", "websocket")],
    "that Connection takes away": [("Connection", "close, Authorization, Content-Type, Content-Length, Host")], "with Connection: close": [("Connection", "close")], "with TE": [("TE", "trailers, deflate")], "with Trailer": [("Trailer", "X-HTTP-Method-Override")],
    "with Expect": [("Expect", "100-continue")], "with an odd Expect": [("Expect", "200-ok")], "with two Hosts": [("Host", "127.0.0.1"), ("Host", "192.0.2.1")], "with another Host": [("Host", "kubernetes.default.svc")], "with an empty Host": [("Host", "")], "with a path in Host": [("Host", "127.0.0.1/api/v1")],
    "of a forwarder": [("X-Forwarded-Host", "x"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Uri", "/api/v1/namespaces"), ("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1")], "that rewrite the path": [("X-Original-URL", f"/api/v1/namespaces/{NS}/configmaps"), ("X-Rewrite-URL", f"/api/v1/namespaces/{NS}/configmaps")],
    "of an impersonation": [("Impersonate-User", "admin"), ("Impersonate-Group", "system:masters")], "of an impersonated extra": [("Impersonate-User", "admin"), ("Impersonate-Extra-dryRun", "None"), ("Impersonate-Uid", "1")], "of two impersonations": [("Impersonate-User", "admin"), ("Impersonate-User", "system:admin")],
    "of an impersonated group alone": [("Impersonate-Group", "system:masters")], "of an authenticating proxy": [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")], "with two Authorizations": [("Authorization", "Bearer x")], "with a cookie": [("Cookie", "a=b")], "with underscores": [("X_HTTP_Method_Override", "DELETE"), ("Content_Length", "0")],
    "with Content-Encoding": [("Content-Encoding", "gzip")], "with Accept-Encoding": [("Accept-Encoding", "gzip, br")], "with two Content-Types": [("Content-Type", JSON)], "with dryRun": [("dryRun", "None"), ("X-Kubernetes-Dry-Run", "None")], "with two Accepts": [("Accept", "application/yaml")],
    "with an odd Accept": [("X-Accept", "x"), ("Accept", "application/vnd.kubernetes.protobuf;stream=watch")], "with 70": [(f"X-{i}", "1") for i in range(70)], "of 40 KB": [("X-Long", "x" * 40000)], "of 90 KB": [("X-Long", "x" * 90000)], "with If-Match": [("If-Match", "*"), ("If-None-Match", "*")], "with Range": [("Range", "bytes=0-1")],
    "with Max-Forwards": [("Max-Forwards", "0"), ("Via", "1.1 x")], "with raw bytes": [("X-Raw", "\xe9\xff\x80")], "in lower case": [("x-http-method-override", "DELETE")]}, set_headers)
for h in ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X-Http-Method-override"]:
    SPELLED[f"{h} on GET"] = lambda r, rng, h=h: r.headers.append((h, r.method)) or vars(r).update(method="GET", body=None, kind=None)
    SPELLED[f"{h} on GET with a body"] = lambda r, rng, h=h: r.headers.append((h, r.method)) or vars(r).update(method="GET")
    SPELLED[f"{h}: GET"] = lambda r, rng, h=h: r.headers.append((h, "GET"))
    SPELLED[f"{h}: DELETE on POST"] = lambda r, rng, h=h: r.headers.append((h, "DELETE")) or vars(r).update(method="POST")
SPELLED["_method on GET"] = lambda r, rng: set_query(r, rng, "_method=" + r.method) or vars(r).update(method="GET", body=None, kind=None)
SPELLED["a form with _method on POST"] = lambda r, rng: vars(r).update(method="POST", kind="application/x-www-form-urlencoded", body=b"_method=" + r.method.encode() + b"&dryRun=")
SPELLED["no token"] = lambda r, rng: vars(r).update(auth="Basic YWRtaW46YWRtaW4=")
SPELLED["another token"] = lambda r, rng: vars(r).update(auth="Bearer x")
SPELLED["a token in lower case"] = lambda r, rng: vars(r).update(auth="bearer  " + r.wire.token)
SPELLED["the API server's own token"] = lambda r, rng: vars(r).update(auth="Bearer " + read("direct.token").strip())
SPELLED["the API server's own token, dryRun=None"] = lambda r, rng: set_query(r, rng, "dryRun=None") or vars(r).update(auth="Bearer " + read("direct.token").strip())


def set_body(r, rng, fn):
    body = fn(r.body or b"{}")
    r.body, r.kind = body if isinstance(body, tuple) else (body, r.kind or JSON)


def member(text):
    return lambda b: (b.strip()[:-1] + (b"" if b.strip() == b"{}" else b", ") + text + b"}") if b[:1] == b"{" else b


def options(text):
    return lambda b: (b'{"kind": "DeleteOptions", "apiVersion": "v1", ' + text + b"}", JSON)


each("body", {
    "with DeleteOptions of no dry run": options(b'"dryRun": []'), "with DeleteOptions of dryRun None": options(b'"dryRun": ["None"]'), "with DeleteOptions of dryRun null": options(b'"dryRun": null'), "with DeleteOptions of a text": options(b'"dryRun": "All"'),
    "with DeleteOptions of All and nothing": options(b'"dryRun": ["All", ""]'), "with DeleteOptions of two": options(b'"dryRun": ["All"], "dryRun": []'), "with DeleteOptions of two, turned": options(b'"dryRun": [], "dryRun": ["All"]'),
    "with DeleteOptions in another case": options(b'"DryRun": ["All"]'), "with DeleteOptions of escapes": options(b'"dry\\u0052un": []'), "with DeleteOptions of a dry run": options(b'"dryRun": ["All"]'), "with DeleteOptions that are empty": options(b'"gracePeriodSeconds": 0'),
    "with DeleteOptions of another kind": lambda b: (b'{"kind": "Pod", "apiVersion": "v1", "dryRun": []}', JSON), "with DeleteOptions and a selector": options(b'"dryRun": ["All"], "shardSelector": "x"'), "with dryRun": member(b'"dryRun": ["None"]'), "with dryRun All": member(b'"dryRun": ["All"]'),
    "with two names": member(b'"metadata": {"name": "h0stile-twice"}'), "with another case": member(b'"Metadata": {"name": "h0stile-case"}'), "of two objects": lambda b: b + b"\n" + b, "with a comma behind": member(b""), "with a NUL": lambda b: b + b"\0", "with a mark of order": lambda b: b"\xef\xbb\xbf" + b,
    "in brackets": lambda b: b"[" + b + b"]", "of a list": lambda b: (b'{"kind": "List", "apiVersion": "v1", "items": [' + b + b"]}", JSON), "missing": lambda b: (b"", JSON), "null": lambda b: (b"null", JSON), "cut": lambda b: b[:-2], "of no JSON": lambda b: (b"h0stile", JSON), "as YAML": lambda b: (b, "application/yaml"),
    "as CBOR": lambda b: (b"\xd9\xd9\xf7\xa0", "application/cbor"), "as applied CBOR": lambda b: (b"\xd9\xd9\xf7\xa0", "application/apply-patch+cbor"), "as Protobuf": lambda b: (b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x00\x1a\x00\x22\x00", "application/vnd.kubernetes.protobuf"),
    "as Protobuf that is JSON": lambda b: (b, "application/vnd.kubernetes.protobuf"), "as Protobuf options": lambda b: (b"k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x02\x08\x00\x1a\x00\x22\x00", "application/vnd.kubernetes.protobuf"), "as text": lambda b: (b, "text/plain"), "of no type": lambda b: (b, ""), "of a charset": lambda b: (b, JSON + "; charset=utf-16"),
    "of utf-8": lambda b: (b, JSON + "; charset=utf-8"), "of two types": lambda b: (b, JSON + ", application/yaml"), "of a type in capitals": lambda b: (b, "Application/JSON"), "of a stream": lambda b: (b, JSON + ";stream=watch"), "of a patch": lambda b: (b, PATCHES[1]), "of JSON": lambda b: (b, JSON), "of 4 MB": lambda b: b[:-1] + b" " * (4 << 20) + b[-1:],
    "of depth": lambda b: (b"[" * 20000, JSON), "with generateName": lambda b: b.replace(b'"name"', b'"generateName"', 1), "with all numbers": member(b'"x": 1e999999'), "of Options": lambda b: (b'{"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": []}', JSON)}, set_body)


def hidden(r):
    return Request(r.wire, "POST", f"/api/v1/namespaces/{NS}/configmaps", json.dumps({"metadata": {"name": MARK + "-hidden"}}).encode(), JSON).bytes()


def chunked(body, size=b"%x"):
    return size % len(body) + b"\r\n" + body + b"\r\n0\r\n\r\n" if body else b"0\r\n\r\n"


def set_frame(r, rng, fn):
    """Another request stands behind it, whose answer is the last: what was hidden has its answer before it."""
    b = r.body or b"{}"
    end = Request(r.wire, "GET", "/version")
    end.headers = [("Connection", "close")]
    r.raw, r.fresh, r.answers, r.patience = fn(r, b, len(b)), True, 5, 3
    r.raw = r.raw + [end.bytes()] if isinstance(r.raw, list) else r.raw + end.bytes()


def lengths(*fields):
    return lambda r, b, n: r.head(False, "".join(f.replace("N", str(n)) + "\r\n" for f in fields)) + b


def coded(*fields, wrap=chunked):
    return lambda r, b, n: r.head(False, "".join(f.replace("N", str(n)) + "\r\n" for f in fields)) + wrap(b)


CODED = "Transfer-Encoding: chunked"
each("frame", {
    "with both lengths": coded("Content-Length: N", CODED), "with both, the other way": coded(CODED, "Content-Length: N"), "chunked, and none": coded("Content-Length: 0", CODED), "of a length, and chunked is hidden": lambda r, b, n: r.head(False, f"Content-Length: 5\r\n{CODED}\r\n") + b"0\r\n\r\n" + hidden(r),
    "with the length twice": lengths("Content-Length: N", "Content-Length: N"), "with two lengths": lengths("Content-Length: N", "Content-Length: 0"), "with two lengths, turned": lengths("Content-Length: 0", "Content-Length: N"), "with a list of lengths": lengths("Content-Length: N, N"), "with +": lengths("Content-Length: +N"), "with a negative length": lengths("Content-Length: -1"),
    "with a length in hex": lengths("Content-Length: 0xN"), "with a length that overflows": lengths("Content-Length: 18446744073709551617"), "with a blank in the length": lengths("Content-Length: N N"), "with an empty length": lengths("Content-Length:"), "with a blank before the colon": lengths("Content-Length : N"), "chunked with a blank before the colon": coded("Transfer-Encoding : chunked"),
    "without a length": lambda r, b, n: r.head(False) + b, "chunked": coded(CODED), "chunked in capitals": coded("Transfer-Encoding: CHUNKED"), "chunked and identity": coded("Transfer-Encoding: chunked, identity"), "identity and chunked": coded("Transfer-Encoding: identity, chunked"), "gzip and chunked": coded("Transfer-Encoding: gzip, chunked"), "xchunked": coded("Transfer-Encoding: xchunked"),
    "chunked after a tab": coded("Transfer-Encoding:\x0bchunked"), "chunked twice": coded(CODED, CODED), "chunked and identity, apart": coded(CODED, "Transfer-Encoding: identity"), "chunked, folded": coded("Transfer-Encoding:\r\n chunked"), "with an extension": coded(CODED, wrap=lambda b: chunked(b, b"%x;a=b")), "with an extension that has a line feed": coded(CODED, wrap=lambda b: chunked(b, b"%x;\na=b")),
    "with zeros before the size": coded(CODED, wrap=lambda b: chunked(b, b"0000%x")), "with a size in hex": coded(CODED, wrap=lambda b: chunked(b, b"0x%x")), "with a size that overflows": coded(CODED, wrap=lambda b: chunked(b, b"FFFFFFFFFFFFFFF%x")), "with a negative size": coded(CODED, wrap=lambda b: chunked(b, b"-%x")), "with line feeds": coded(CODED, wrap=lambda b: chunked(b).replace(b"\r\n", b"\n")),
    "with a trailer": coded(CODED, wrap=lambda b: chunked(b)[:-2] + b"X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n"), "chunked, a write behind it": lambda r, b, n: r.head(False, CODED + "\r\n") + chunked(b) + hidden(r), "chunked, a write in it": lambda r, b, n: r.head(False, CODED + "\r\n") + chunked(hidden(r)),
    "with a write behind it": lambda r, b, n: r.bytes() + hidden(r), "with a write beyond its length": lambda r, b, n: r.head(False, "Content-Length: 2\r\n") + b"{}" + hidden(r), "a write behind a read": lambda r, b, n: Request(r.wire, "GET", "/version").bytes() + r.bytes(), "twice": lambda r, b, n: r.bytes() * 2, "a write in a read": lambda r, b, n: Request(r.wire, "GET", "/version", r.bytes(), JSON).bytes(),
    "a write behind a watch": lambda r, b, n: Request(r.wire, "GET", f"/api/v1/namespaces/{NS}/configmaps?watch=1&timeoutSeconds=1").bytes() + r.bytes(), "a write behind an upgrade": lambda r, b, n: Request(r.wire, "GET", f"/api/v1/namespaces/{NS}/pods/there/exec?command=x").head(True, "Connection: Upgrade\r\nUpgrade: websocket\r\n") + r.bytes(),
    "with a folded header": lambda r, b, n: r.head(True, "X-Fold: a\r\n b\r\n\tc\r\n") + b, "with a folded Host": lambda r, b, n: r.bytes().replace(b"Host: ", b"Host:\r\n ", 1), "with a NUL in a value": lambda r, b, n: r.head(True, "X-Nul: a\0b\r\n") + b, "with a NUL in a name": lambda r, b, n: r.head(True, "X-N\0l: a\r\n") + b, "with a CR in a value": lambda r, b, n: r.head(True, "X-Cr: a\rX-HTTP-Method-Override: DELETE\r\n") + b,
    "with bare line feeds": lambda r, b, n: r.head(True, end="\n") + b, "with bare CRs": lambda r, b, n: r.head(True, end="\r") + b, "with a line feed in a value": lambda r, b, n: r.head(True, "X-Lf: a\nX-HTTP-Method-Override: DELETE\r\n") + b, "with no colon": lambda r, b, n: r.head(True, "nothing\r\n") + b, "with no name": lambda r, b, n: r.head(True, ": x\r\n") + b,
    "from a blank on": lambda r, b, n: r.bytes().replace(b"\r\n", b"\r\n ", 1), "after empty lines": lambda r, b, n: b"\r\n\r\n\n" + r.bytes(), "after bytes": lambda r, b, n: b"\0\xff\r\n" + r.bytes(), "with two blanks": lambda r, b, n: r.bytes().replace(b" ", b"  ", 1), "with tabs": lambda r, b, n: r.bytes().replace(b" ", b"\t", 2),
    "of HTTP/1.0": lambda r, b, n: r.bytes().replace(b"HTTP/1.1", b"HTTP/1.0", 1), "of HTTP/1.0, kept": lambda r, b, n: r.head(True, "Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0", 1) + (r.body or b""), "of HTTP/1.0, chunked": lambda r, b, n: r.head(False, CODED + "\r\n").replace(b"HTTP/1.1", b"HTTP/1.0", 1) + chunked(b),
    "of HTTP/1.0 without Host": lambda r, b, n: re.sub(rb"Host: [^\r]*\r\n", b"", r.bytes().replace(b"HTTP/1.1", b"HTTP/1.0", 1), count=1), "without Host": lambda r, b, n: re.sub(rb"Host: [^\r]*\r\n", b"", r.bytes(), count=1), "of HTTP/0.9": lambda r, b, n: f"{r.method} {r.path}\r\n".encode(), "of HTTP/2.0": lambda r, b, n: r.bytes().replace(b"HTTP/1.1", b"HTTP/2.0", 1),
    "of HTTP/1.2": lambda r, b, n: r.bytes().replace(b"HTTP/1.1", b"HTTP/1.2", 1), "of http/1.1": lambda r, b, n: r.bytes().replace(b"HTTP/1.1", b"http/1.1", 1), "of HTTP/11": lambda r, b, n: r.bytes().replace(b"HTTP/1.1", b"HTTP/11", 1), "of HTTP/2, as its clients begin": lambda r, b, n: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + r.bytes(),
    "byte by byte": lambda r, b, n: [r.bytes()[i:i + 97] for i in range(0, len(r.bytes()), 97)], "of a WebSocket with a frame behind": lambda r, b, n: r.head(True, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") + b + b"\x82\x85\0\0\0\0hello"}, set_frame)


@spelling("cut in its body")
def cut_in_body(r, rng):
    r.raw, r.fresh, r.cut = r.head(False, f"Content-Length: {len(r.body or b'') + 10}\r\n") + (r.body or b""), True, True


@spelling("cut in its head")
def cut_in_head(r, rng):
    r.raw, r.fresh, r.cut = r.head()[:-2], True, True


@spelling("sent and left")
def sent_and_left(r, rng):
    r.raw, r.fresh, r.cut = r.bytes(), True, True


# ---- what is asked ----
class Case:
    def __init__(self, r, path, verb, kind, name=None):
        self.r, self.path, self.verb, self.kind, self.name = r, path, verb, kind, name  # name: of the object, if there should be one


ELSEWHERE = ["/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/healthz", "/livez/ping", "/readyz", "/metrics", "/logs/", "/debug/flags/v", "/debug/pprof/profile", "/configz", "/statusz", "/flagz", "/openapi/v2", "/openapi/v3",
             "/.well-known/openid-configuration", "/openid/v1/jwks", "/api/v2/pods", "/apis/metrics.k8s.io/v1beta1/nodes", "/apis/custom.metrics.k8s.io/v1beta1/namespaces/default/x", "/apis/elsewhere.example.com/v1/things",
             "/apis/elsewhere.example.com/v1/namespaces/default/things/a", "/api/v1/bindings", "/api/v1/minions/a", "/apis/extensions/v1beta1/namespaces/default/deployments", f"/api/v1/namespaces/{NS}/pods/there/exec/more", f"/api/v1/nodes/there/proxy/run/{NS}/there/c"]


def cases(resources):
    out = []
    for r in resources:
        paths = [r.object(r.existing or "there"), r.object(MARK + "-none")]
        if not r.sub:
            paths += [r.collection()] + ([f"{r.prefix}/{r.name}"] if r.namespaced else [])
        for path in paths:
            name = (r.existing if path == paths[0] else MARK + "-none") if path in paths[:2] else None
            for verb, kind in [("POST", JSON), ("PUT", JSON), ("DELETE", None)] + [("PATCH", p) for p in PATCHES]:
                out.append(Case(r, path, verb, kind, name))
            if r.sub in CONNECT + ["token"]:
                out.append(Case(r, path, "GET", None, name))
    return out + [Case(None, path, verb, kind) for path in ELSEWHERE for verb, kind in [("POST", JSON), ("PUT", JSON), ("DELETE", None)] + [("PATCH", p) for p in PATCHES]]


CONDITION = {"type": "H0stile", "status": "True", "reason": MARK, "message": MARK, "lastTransitionTime": "2026-01-01T00:00:00Z"}


def body_of(w, c, n):
    """A body that would be taken, were it no dry run."""
    r, note = c.r, {MARK: str(n)}
    if c.verb not in ("POST", "PUT", "PATCH"):
        return None
    if r is None:
        return {"metadata": {"name": f"{MARK}-{n}"}}
    if c.verb == "POST" and r.sub:
        name = {"metadata": {"name": c.name, "namespace": NS}}
        return {"binding": {"kind": "Binding", "apiVersion": "v1", **name, "target": {"kind": "Node", "name": MARK}}, "eviction": {"kind": "Eviction", "apiVersion": "policy/v1", **name},
                "token": {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"audiences": []}}}.get(r.sub, {"metadata": {"annotations": note}})
    there = c.name and c.name != MARK + "-none"
    if c.verb == "PATCH" and there:
        apply = c.kind == PATCHES[3]
        api = {"apiVersion": (r.group + "/" if r.group else "") + r.version, "kind": r.kind} if apply else {}
        if r.sub == "scale":
            patch = {"spec": {"replicas": 3}}
            api = {"apiVersion": "/".join(r.api), "kind": "Scale"} if apply else {}
        else:
            patch = {"metadata": {"annotations": note}, **({"status": {"conditions": [CONDITION]}} if r.sub in ("status", "approval") and n % 2 else {})}
        if c.kind == PATCHES[0]:
            return [{"op": "replace", "path": "/spec/replicas", "value": 3}] if r.sub == "scale" else [{"op": "add", "path": "/metadata/annotations", "value": note}]
        patch.setdefault("metadata", {}).update({"name": c.name} if apply else {})
        return {**api, **patch}
    if c.verb == "PUT" and there:
        path = c.path if r.sub == "scale" or not r.sub else c.path.rsplit("/", 1)[0]
        status, obj = w.json("GET", path)
        if status == 200:
            obj["metadata"].pop("managedFields", None)
            obj["metadata"].setdefault("annotations", {}).update(note)
            if r.sub == "scale":
                obj.setdefault("spec", {})["replicas"] = 3
            elif r.sub == "finalize":
                obj.setdefault("spec", {})["finalizers"] = []
            elif r.sub == "ephemeralcontainers":
                obj.setdefault("spec", {})["ephemeralContainers"] = [{"name": MARK, "image": "none"}]
            elif r.sub == "resize" and obj.get("spec", {}).get("containers"):
                obj["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
            elif r.sub == "approval" or (r.sub == "status" and n % 2):
                obj.setdefault("status", {})["conditions"] = [{**CONDITION, "type": "Approved"} if r.sub == "approval" else CONDITION]
            return obj
    known, obj = template(r, c.name or f"{MARK}-{n}")
    obj["metadata"]["annotations"] = note
    return obj


def discovered(resources):
    w = Wire("maker")
    for r in resources:
        if not r.sub and "list" in r.verbs:
            items = w.json("GET", r.collection() + "?limit=500")[1].get("items") or []
            names = [i["metadata"]["name"] for i in items]
            want = template(r, "there")[1]["metadata"]["name"]
            r.existing = want if want in names else names[0] if names else None
    whole = {(r.prefix, r.name): r.existing for r in resources if not r.sub}
    for r in resources:
        r.existing = whole.get((r.prefix, r.name))
    return resources


def run(work, out):
    w, tally = Wire("proxy"), collections.Counter()
    while True:
        try:
            n, c, spelled = work.get_nowait()
        except queue.Empty:
            break
        body = body_of(w, c, n)
        apply = c.kind == PATCHES[3]
        q = Request(w, c.verb, c.path, None if body is None else json.dumps(body).encode(), c.kind, f"fieldManager={MARK}&force=true" if apply else "")
        if spelled != "plain":
            SPELLED[spelled](q, random.Random(f"{SEED} {n}"))
        q.head_only = q.method == "GET" and "watch" in q.query
        began = time.monotonic()
        statuses, _ = w.send(q.bytes(), q.method, q.answers, q.fresh, q.cut, q.head_only, q.patience)
        took = time.monotonic() - began
        with out["lock"]:
            out["slowest"] = max(out["slowest"], (round(took, 1), str(statuses), q.bytes()[:300].decode("latin-1") if not isinstance(q.raw, list) else spelled))
        tally["sent"] += 1
        for s in statuses:
            tally["answered 2xx" if s in range(200, 300) else s if isinstance(s, str) else "refused"] += 1
            tally[f"status {s}"] += 1
            out["spellings"][spelled][str(s)] += 1
        out["verbs"][spelled][c.verb] += 1
    w.close()
    with out["lock"]:
        out["tally"].update(tally)


def guarded(work, out):
    try:
        run(work, out)
    except BaseException:
        out["broken"].append(traceback.format_exc())


def try_all():
    rng = random.Random(SEED)
    resources = discovered(discover(Wire("maker")))
    todo = cases(resources)
    rng.shuffle(todo)
    names, at, work = list(SPELLED), 0, [[], [], []]
    rng.shuffle(names)
    verbs = collections.defaultdict(lambda: rng.randrange(len(names)))
    for c in todo:  # each verb goes round all spellings by itself; deletes are last, since what they delete is gone for who rehearses
        phase = work[0 if c.verb != "DELETE" else 1 if c.name else 2]
        phase += [(c, "plain")] + [(c, names[(verbs[c.verb] + i) % len(names)]) for i in range(SPELLINGS)]
        verbs[c.verb] += SPELLINGS
    out = {"lock": threading.Lock(), "broken": [], "slowest": (0, "", ""), "tally": collections.Counter(), "spellings": collections.defaultdict(collections.Counter), "verbs": collections.defaultdict(collections.Counter)}
    began, n = time.monotonic(), 0
    for phase in work:
        rng.shuffle(phase)
        jobs = queue.Queue()
        for c, spelled in phase:
            n += 1
            jobs.put((n, c, spelled))
        threads = [threading.Thread(target=guarded, args=(jobs, out)) for _ in range(THREADS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    missing = [f"{s} {v}" for s in SPELLED for v in ("POST", "PUT", "PATCH", "DELETE") if not out["verbs"][s][v]]
    with open(os.path.join(FOLDER, "spellings.json"), "w") as f:
        json.dump(out["spellings"], f, indent=1, sort_keys=True)
    print("\n".join(out["broken"]), end="", file=sys.stderr)
    print(json.dumps({"seed": SEED, "seconds": round(time.monotonic() - began), "resources": len(resources), "pairs": len(todo), "spellings": len(SPELLED) + 1, "planned": n, "missing": missing, "slowest": out["slowest"], "tally": out["tally"]}))
    return 1 if out["broken"] or missing else 0


sys.exit({"make": make, "try": try_all, "plain": plain}[MODE]())
