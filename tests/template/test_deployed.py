"""Tests the stack in moto, and the real functions on that stack."""

import json
import os
import subprocess
import time
import unittest
import uuid
from contextlib import ExitStack

import account
import runtime
from stack import ROOT, of_type

DOMAIN = "d111111abcdef8.cloudfront.net"


class Deployed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = ExitStack()
        url = cls.stack.enter_context(account.server())
        cls.addClassCleanup(cls.stack.close)
        cls.account = account.Account(url)
        print("\nmoto's CloudFormation does not make:", *cls.account.left_out, sep="\n  ")
        subprocess.run(["cargo", "build", "--quiet", "--bins"], cwd=ROOT, check=True)
        metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
        target = json.loads(subprocess.check_output(metadata, cwd=ROOT))["target_directory"]
        cls.binaries = os.path.join(target, "debug")

    def function(self, name, **parameters):
        """Runs a function with its environment from the stack, and with AWS on this machine. With
        parameters, it has the secrets of a deployment with these."""
        environment = {
            **{variable: str(value) for variable, value in self.account.environment(name).items()},
            **(self.account.variables(name, **parameters) if parameters else {}),
            **account.CREDENTIALS,
            "DYNAMODB_URL": self.account.url,
            "CLOUDFRONT_URL": self.account.url,
        }
        resource = self.account.template["Resources"][name]
        binary = os.path.join(self.binaries, resource["Metadata"]["BuildProperties"]["Binary"])
        return runtime.running(binary, environment)

    def event(self, method, path, key, body="", cookie=None, secret=None):
        """Returns the event of a request that came through the edge."""
        headers = {
            "accept": "application/json",
            "x-crm-secret": secret or self.account.sent(),
            "x-crm-distribution": self.account.distribution["Id"],
            "x-crm-domain": DOMAIN,
            "x-crm-viewer-ip": "192.0.2.1",
            "x-crm-key": key,
        }
        if method == "POST":
            json_type = "application/json"
            headers |= {"content-type": json_type, "origin": f"https://{DOMAIN}", "idempotency-key": str(uuid.uuid4())}
        http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.9", "userAgent": "tests"}
        return {
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "cookies": [cookie] if cookie else [], "headers": headers, "body": body, "isBase64Encoded": False,
            "requestContext": {
                "accountId": "anonymous", "apiId": "here", "domainName": "here.lambda-url.us-east-1.on.aws",
                "domainPrefix": "here", "http": http, "requestId": str(uuid.uuid4()), "routeKey": "$default",
                "stage": "$default", "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": int(time.time() * 1000),
            },
        }

    def post(self, function, action, fields, cookie=None, secret=None):
        request = self.event("POST", f"/actions/{action}", str(uuid.uuid4()), json.dumps(fields), cookie, secret)
        response = function.invoke(request)
        self.assertEqual(response["statusCode"], 200, f"{response}\n{function.logged()}")
        return response, json.loads(response["body"])

    def test_the_table_has_the_settings_of_the_template(self):
        client = self.account.client("dynamodb")
        table = client.describe_table(TableName=self.account.made["Table"]["Ref"])["Table"]
        self.assertEqual(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(table["StreamSpecification"]["StreamViewType"], "KEYS_ONLY")
        self.assertEqual(str(table["DeletionProtectionEnabled"]).lower(), "true")
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        self.assertEqual(keys, {"HASH": "pk", "RANGE": "sk"})

    def test_the_distribution_reads_tags_and_has_an_origin_for_each_url(self):
        config = self.account.distribution["DistributionConfig"]
        self.assertEqual(config["CacheTagConfig"], {"HeaderName": "Cache-Tag"})
        domains = [origin["DomainName"] for origin in config["Origins"]["Items"]]
        urls = of_type(self.account.template, "AWS::Lambda::Url")
        self.assertEqual(sorted(domains), sorted(f"{url.lower()}.lambda-url.us-east-1.on.aws" for url in urls))

    def test_every_function_exists_and_knows_the_table_and_the_secrets(self):
        secrets = set()
        for name in of_type(self.account.template, "AWS::Lambda::Function"):
            environment = self.account.environment(name)
            self.assertEqual(environment["TABLE_NAME"], self.account.made["Table"]["Ref"])
            secrets.add((environment["SECRETS"], environment["SECRETS_IN_USE"]))
        [(both, in_use)] = secrets
        self.assertRegex(both, "^[A-Za-z0-9]{128}[.][A-Za-z0-9]{128}$")
        self.assertEqual((in_use, len(set(both.split(".")))), ("A", 2))

    def test_no_request_is_refused_while_the_secrets_are_rotated_twice(self):
        # As docs/operations.md describes it, and back. Each step is one update, in which some functions, and
        # the edge, are still as before it.
        steps = [
            {"SecretsInUse": "A"},
            {"SecretsInUse": "B"},
            {"SecretsInUse": "B", "SecretsGenerationA": 2},
            {"SecretsInUse": "A", "SecretsGenerationA": 2},
            {"SecretsInUse": "A", "SecretsGenerationA": 2, "SecretsGenerationB": 2},
        ]
        in_use = [self.account.sent(**step) for step in steps]
        self.assertEqual([in_use.index(secret) for secret in in_use], [0, 1, 1, 3, 3])
        fields = {"name": "Ada", "email": "ada@rotated.example", "password": "correct horse", "organization": "Rotated"}
        with ExitStack() as running:
            views, sessions = [], []
            for n, step in enumerate(steps):
                sign_in = running.enter_context(self.function("SignInFunction" if n else "SignUpFunction", **step))
                response, _ = self.post(sign_in, "sign-in" if n else "sign-up", fields, secret=in_use[n])
                sessions.append(response["cookies"][0].split(";")[0])
                views.append(running.enter_context(self.function("ListContactsFunction", **step)))

            def status(view, secret, session):
                event = self.event("GET", "/t/rotated/contacts", str(uuid.uuid4()), cookie=session, secret=secret)
                return views[view].invoke(event)["statusCode"]

            for n in range(len(steps)):
                around = range(max(n - 1, 0), min(n + 2, len(steps)))
                for edge in around:
                    for session in around:
                        found = status(n, in_use[edge], sessions[session])
                        self.assertEqual(found, 200, f"function {n}, edge {edge}, session {session}")
            # What has been replaced is no longer believed, so a leaked secret is worth nothing.
            self.assertEqual(status(4, in_use[0], sessions[4]), 403)
            self.assertEqual(status(4, in_use[1], sessions[4]), 403)
            self.assertEqual(status(4, in_use[4], sessions[0]), 401)
            self.assertEqual(status(4, in_use[4], sessions[2]), 401)

    def long_ago(self, mark):
        """Lets the change that the mark notes be longer ago than QuietTime, so that pages may be cached."""
        self.account.client("dynamodb").update_item(
            TableName=self.account.made["Table"]["Ref"],
            Key={"pk": {"S": mark}, "sk": {"S": "mark"}},
            UpdateExpression="SET changedAt = :long_ago",
            ConditionExpression="attribute_exists(changedAt)",
            ExpressionAttributeValues={":long_ago": {"N": "0"}},
        )

    def test_a_change_to_a_cached_list_is_purged_at_the_edge(self):
        with ExitStack() as running:
            sign_up, create, listing = (
                running.enter_context(self.function(name))
                for name in ("SignUpFunction", "CreateContactFunction", "ListContactsFunction")
            )
            fields = {"name": "Ada", "email": "ada@example.com", "password": "correct horse", "organization": "Acme"}
            response, signed_up = self.post(sign_up, "sign-up", fields)
            self.assertEqual(signed_up["data"]["tenant"], "acme")
            cookie = response["cookies"][0].split(";")[0]
            self.assertTrue(cookie.startswith("__Host-session="), cookie)

            _, first = self.post(create, "create-contact", {"name": "Zoë", "email": "zoe@example.com"}, cookie)
            self.assertEqual(self.account.invalidations(), [], "the list is not cached yet")
            self.long_ago("#mark:acme:contacts")
            page = listing.invoke(self.event("GET", "/t/acme/contacts", "acme|owner|json|", cookie=cookie))
            self.assertEqual(page["headers"]["cache-tag"], "acme:contacts", page)
            self.assertIn("s-maxage=300", page["headers"]["cache-control"])
            self.assertEqual(json.loads(page["body"])["data"]["contacts"], [first["data"]])

            _, second = self.post(create, "create-contact", {"name": "Bo", "email": "bo@example.com"}, cookie)
            self.assertIn("acme:contacts", second["revalidated"])
            self.assertIn("#acme:contacts", self.account.invalidations())

            stranger = self.event("GET", "/t/acme/contacts", "acme|owner|json|", cookie=cookie)
            stranger["headers"]["x-crm-secret"] = "not the secret"
            self.assertEqual(listing.invoke(stranger)["statusCode"], 403)


class Recreated(unittest.TestCase):
    def test_a_stack_is_made_again_after_a_late_line_has_made_its_log_group_again(self):
        with account.server() as url:
            for name in ("e", "e" * 50, "e" * 128):
                first = account.Account(url, name)
                first.delete()
                logs = first.client("logs")
                left = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
                for group in left:
                    logs.delete_log_group(logGroupName=group["logGroupName"])
                logs.create_log_group(logGroupName=first.made["LogGroup"]["Ref"])
                second = account.Account(url, name)
                self.assertNotEqual(first.made["LogGroup"], second.made["LogGroup"])
                self.assertEqual(set(first.made), set(second.made))
                second.delete()


if __name__ == "__main__":
    unittest.main()
