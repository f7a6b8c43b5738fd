"""Calls every function that takes requests, and revalidate, through `cargo lambda watch`. watch.sh
runs it. With function names as arguments, it calls only those, each with its sample event."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

# The functions that take requests, in the order of their samples.
FUNCTIONS = json.loads(pathlib.Path("tests/functions.json").read_text(encoding="utf-8"))["requests"]
ACCOUNT = {"email": "ada@example.com", "password": "correct horse"}
PATIENCE = 120  # Seconds for a function to start.


class Watch:
    """A client with a session. It calls the functions at `/lambda-url/{name}`."""

    def __init__(self, port):
        self.port = port
        self.cookie = None
        self.driven = set()  # The functions that have been called, other than to start them.

    def call(self, function, path="/", fields=None, accept="application/json", **headers):
        """A GET, or a POST if there are fields. Returns the status, the headers and the body, which is
        parsed if it is JSON."""
        headers = {"Accept": accept, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if path != "/warm":
            self.driven.add(function)
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers.setdefault("Origin", f"http://127.0.0.1:{self.port}")
        return self.send(function, path, body, headers)

    def send(self, function, path, body, headers):
        """A POST, or a GET if there is no body."""
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("POST" if body is not None else "GET", f"/lambda-url/{function}{path}", body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie", []):
            if cookie.startswith("session="):
                self.cookie = cookie.split(";")[0]
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, response.headers, json.loads(text) if is_json else text

    def invoke(self, function, event):
        """Passes an event that is not an HTTP request to a function, as the Lambda API does. Returns
        the function's result."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("POST", f"/2015-03-31/functions/{function}/invocations", event)
            return json.loads(connection.getresponse().read())

    def act(self, function, fields, **headers):
        """Runs an action that must succeed. Returns the `data` of its response."""
        status, _, answer = self.call(function, f"/actions/{function}", fields, **headers)
        expect(status == 200 and answer["ok"], f"{function} answers {status}: {answer}")
        return answer["data"]


    def sample(self, function, records):
        """Sends a function its sample event with the ids of these records in it. Returns what `call`
        returns."""
        text = pathlib.Path(f"events/{function}.json").read_text(encoding="utf-8")
        for name, value in records.items():
            text = text.replace("{{" + name + "}}", value)
        event = json.loads(text)
        path = f"{event['rawPath']}?{event['rawQueryString']}".rstrip("?")
        if event["requestContext"]["http"]["method"] == "GET":
            return self.call(function, path)
        body = event["body"]
        if event["isBase64Encoded"]:
            body = base64.b64decode(body).decode()
            for name, value in records.items():
                body = body.replace("{{" + name + "}}", value)
        kept = ("content-type", "idempotency-key")
        headers = {name: value for name, value in event["headers"].items() if name in kept}
        headers = {"Accept": "application/json", "Origin": f"http://127.0.0.1:{self.port}", **headers}
        return self.send(function, path, body.encode(), headers)


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def warm(watch, functions):
    """Starts the functions one by one. cargo-lambda may deadlock on simultaneous first requests (its
    issue 444)."""
    for function in functions:
        started = time.monotonic()
        status, headers, _ = watch.call(function, "/warm")
        expect(headers.get("X-Request-Id"), f"{function} does not answer: {status}")
        print(f"  {function} answers after {time.monotonic() - started:.1f} s", flush=True)


def drive(watch):
    account = dict(ACCOUNT)
    signed_up = watch.act("sign-up", {"name": "Ada", "organization": "Acme", **account})
    expect((signed_up["tenant"], signed_up["role"]) == ("acme", "owner"), signed_up)
    contacts = "/t/acme/contacts"

    fields = {"name": "Grace Hopper", "email": "grace@example.com", "company": "Navy"}
    grace = watch.act("create-contact", fields, Idempotency_Key="grace")
    _, headers, again = watch.call("create-contact", "/", fields, Idempotency_Key="grace")
    expect(again["data"] == grace and headers["Idempotency-Replayed"] == "true", again)
    status, _, other = watch.call("create-contact", "/", {**fields, "name": "Other"}, Idempotency_Key="grace")
    expect((status, other["code"]) == (422, "IDEMPOTENCY_ERROR"), other)
    status, _, invalid = watch.call("create-contact", "/", {"email": "no"})
    expect((status, invalid["fieldErrors"]) == (400, {"name": "Name is required", "email": "Invalid email format"}), invalid)
    status, _, foreign = watch.call("create-contact", "/", fields, Origin="https://evil.example")
    expect((status, foreign["code"]) == (403, "AUTH_ERROR"), foreign)
    ada = watch.act("create-contact", {"name": "Ada Lovelace", "email": "ada@example.com"})

    _, _, page = watch.call("list-contacts", contacts)
    expect(page["data"] == {"contacts": [ada, grace], "next": None}, page)
    _, _, found = watch.call("list-contacts", f"{contacts}?q=NAVY")
    expect(found["data"]["contacts"] == [grace], found)
    status, _, html = watch.call("list-contacts", contacts, accept="text/html")
    expect(status == 200 and "Contacts (2)" in html, html)

    _, _, one = watch.call("get-contact", f"{contacts}/{grace['id']}")
    expect(one["data"] == grace, one)
    change = {"id": grace["id"], "version": 1, "name": "Grace B. Hopper", "email": grace["email"]}
    changed = watch.act("update-contact", change)
    expect((changed["name"], changed["company"], changed["version"]) == ("Grace B. Hopper", None, 2), changed)
    status, _, stale = watch.call("update-contact", "/", change)
    expect((status, stale["current"]) == (409, changed), stale)
    expect(watch.act("delete-contact", {"id": grace["id"]}) == {"id": grace["id"]}, "what was deleted")
    status, _, gone = watch.call("get-contact", f"{contacts}/{grace['id']}")
    expect((status, gone["code"]) == (404, "NOT_FOUND"), gone)

    for path in [f"{contacts}/new", f"{contacts}/{ada['id']}/edit", f"{contacts}/{ada['id']}/delete"]:
        status, _, html = watch.call("pages", path, accept="text/html")
        expect(status == 200 and 'name="idempotency_key"' in html, f"{path}: {status} {html}")
    for asset in set(re.findall(r"/assets/[\w.-]+", html)):
        status, headers, _ = watch.call("pages", asset, accept="*/*")
        expect(status == 200 and "immutable" in headers["Cache-Control"], f"{asset}: {status}")

    watch.act("restore-contact", {"id": grace["id"]})
    watch.act("delete-contact", {"id": grace["id"]})
    project = watch.act("create-project", {"name": "Turbine"})
    project = watch.act("rename-project", {"id": project["id"], "version": 1, "name": "Windmill"})
    watch.act("archive-project", {"id": project["id"]})
    project = watch.act("restore-project", {"id": project["id"]})
    _, _, page = watch.call("list-projects", "/t/acme/projects")
    expect(page["data"]["projects"] == [project], page)
    bob = watch.act("invite-member", {"email": "bob@example.com", "role": "member"})
    bob = watch.act("change-role", {"userId": bob["id"], "role": "viewer"})
    _, _, page = watch.call("list-members", "/t/acme/members")
    expect(bob in page["data"]["members"], page)
    watch.act("remove-member", {"userId": bob["id"]})
    status, _, closed = watch.call("accept-invite", "/", {"token": "forged", "name": "Bob", "password": "correct horse"})
    expect(status in (400, 403), closed)
    _, _, page = watch.call("audit", "/t/acme/audit")
    expect(page["data"]["records"][0]["action"] == "remove-member", page)

    user = watch.act("update-profile", {"name": "Ada L."})
    _, _, settings = watch.call("settings", "/t/acme/settings")
    expect(settings["data"]["user"] == user and len(settings["data"]["sessions"]) == 1, settings)
    status, _, nobody = watch.call("end-session", "/", {"id": "unknown"})
    expect((status, nobody["code"]) == (404, "NOT_FOUND"), nobody)
    expect(watch.act("switch-organization", {"tenant": "acme"})["user"] == user, "the same person")
    changed = {"currentPassword": account["password"], "newPassword": "horse correct"}
    expect(watch.act("change-password", changed) == {}, "nothing to say")
    account["password"] = "horse correct"
    expect(watch.act("request-password-reset", {"email": account["email"]}) == {}, "nothing to say")
    status, _, forged = watch.call("reset-password", "/", {"token": "forged", "password": "horse correct"})
    expect((status, list(forged["fieldErrors"])) == (400, ["token"]), forged)
    expect(watch.act("sign-out-everywhere", {}) == {}, "nothing to say")
    expect(watch.act("sign-in", account)["tenant"] == "acme", "signed in again")

    # Nothing here sends emails, so the address stays unconfirmed.
    status, _, early = watch.call("send-confirmation", "/", {})
    expect((status, early["code"]) == (403, "AUTH_ERROR"), early)
    status, _, forged = watch.call("confirm-email", "/", {"token": "forged"})
    expect((status, list(forged["fieldErrors"])) == (400, ["token"]), forged)
    status, _, wrong = watch.call("change-email", "/", {"email": "ada@new.example", "password": "wrong horse"})
    expect((status, list(wrong["fieldErrors"])) == (400, ["password"]), wrong)
    renamed = watch.act("rename-organization", {"name": "Acme & Daughters"})
    expect(renamed["name"] == "Acme & Daughters", renamed)
    made = watch.act("create-organization", {"name": "Wind"})
    expect((made["tenant"], made["role"]) == ("wind", "owner"), made)
    status, _, last = watch.call("delete-account", "/", {"password": account["password"]})
    expect((status, last["code"]) == (403, "AUTH_ERROR"), last)
    expect(watch.act("switch-organization", {"tenant": "acme"})["tenant"] == "acme", "back again")

    expect(watch.act("sign-out", {}) == {}, "nothing to say")
    status, _, answer = watch.call("list-contacts", contacts)
    expect((status, answer["code"]) == (401, "AUTH_ERROR"), answer)
    status, headers, _ = watch.call("list-contacts", contacts, accept="text/html")
    expect(status == 303 and headers["Location"].startswith("/sign-in?return_to="), headers)
    status, _, html = watch.call("pages", "/sign-in", accept="text/html")
    expect(status == 200 and "Sign in" in html, html)
    expect(watch.act("sign-in", account)["tenant"] == "acme", "the same organisation")
    _, _, page = watch.call("list-contacts", contacts)
    expect(page["data"]["contacts"] == [ada], page)

    drive_samples(watch, [name for name in FUNCTIONS if name not in watch.driven], {"contact": ada["id"], "project": project["id"]})

    with open("events/revalidate.json", encoding="utf-8") as event:
        drained = watch.invoke("revalidate", event.read())
    expect(drained == {"batchItemFailures": [], "drained": 0, "purged": 0}, drained)


def drive_samples(watch, functions, records):
    for function in functions:
        status, _, answer = watch.sample(function, records)
        expect(status == 200, f"{function} answers its sample with {status}: {answer}")
        print(f"  {function} answers its sample", flush=True)


def drive_alone(watch, functions):
    """Calls functions with their samples, after making the records that the samples are about."""
    warm(watch, ["sign-up", "create-contact", "create-project", *functions])
    watch.act("sign-up", {"name": "Ada", "organization": "Acme", **ACCOUNT})
    contact = watch.act("create-contact", {"name": "Grace Hopper", "email": "grace@example.com"})
    project = watch.act("create-project", {"name": "Turbine"})
    drive_samples(watch, functions, {"contact": contact["id"], "project": project["id"]})


@contextlib.contextmanager
def running(command, **options):
    """Runs a process until the end of the block, then stops it and everything that it started."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield process
    finally:
        for stop in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, stop)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_for(port, process):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("cargo lambda watch does not listen")


def main(alone):
    port = free_port()
    log = tempfile.TemporaryFile("w+")
    engine_command = ["cargo", "run", "--quiet", "--example", "dynamodb"]
    with running(engine_command, stdout=subprocess.PIPE, text=True) as engine:
        url = re.search(r"http://\S+", engine.stdout.readline())
        expect(url, "the embedded DynamoDB does not start")
        environment = {
            **os.environ,
            "TABLE_NAME": "edge-crm",
            "DYNAMODB_URL": url.group(),
            # Nothing here calls AWS.
            "CLOUDFRONT_URL": "http://127.0.0.1:1",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "SESSION_KEY": "a signing key for this run and no other one",
            "PUBLIC_SCHEME": "http",
            "ALLOWED_ORIGINS": f"http://127.0.0.1:{port}",
            "RATE_LIMIT_PER_USER": "0",
            "RATE_LIMIT_PER_IP": "0",
        }
        for name in ("AWS_SESSION_TOKEN", "SECRETS", "SECRETS_IN_USE"):
            environment.pop(name, None)
        command = [
            "cargo", "lambda", "watch", "--ignore-changes",
            "--invoke-address", "127.0.0.1", "--invoke-port", str(port),
        ]
        with running(command, env=environment, stdout=log, stderr=log) as lambdas:
            try:
                wait_for(port, lambdas)
                watch = Watch(port)
                if alone:
                    drive_alone(watch, alone)
                else:
                    warm(watch, FUNCTIONS)
                    drive(watch)
            except Exception as error:
                log.seek(0)
                print(log.read()[-8000:], file=sys.stderr)
                sys.exit(f"watch: failed: {type(error).__name__}: {error}")
    print(f"watch: all {len(alone) or len(FUNCTIONS) + 1} functions answer as they should")


if __name__ == "__main__":
    main(sys.argv[1:])
