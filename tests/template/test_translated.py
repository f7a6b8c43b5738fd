"""Tests the template as SAM translates it, without AWS."""

import graphlib
import json
import os
import re
import subprocess
import sys
import unittest

import stack
from stack import ROOT, Values, of_type, references

FUNCTION = "AWS::Lambda::Function"
SECRET = "AWS::SecretsManager::Secret"
# The longest name of each kind of resource to which the template gives one, and its characters. CloudFormation
# makes the other names, and shortens them.
NAMES = {
    "AWS::CloudFront::CachePolicy": (128, "[A-Za-z0-9_-]"),
    "AWS::CloudFront::Function": (64, "[A-Za-z0-9_-]"),
    "AWS::CloudFront::OriginRequestPolicy": (128, "[A-Za-z0-9_-]"),
    "AWS::CloudFront::ResponseHeadersPolicy": (128, "[A-Za-z0-9_-]"),
    "AWS::CloudWatch::Dashboard": (255, "[A-Za-z0-9_-]"),
    "AWS::Logs::LogGroup": (512, "[A-Za-z0-9_/.#-]"),
    SECRET: (512, "[A-Za-z0-9_/+=.@-]"),
}
# The names that all regions of an account share.
ACCOUNT_WIDE = {kind for kind in NAMES if kind.startswith("AWS::Cloud")}
FIRST, SECOND, THIRD, FOURTH = (f"0197a3b0-0000-4000-8000-00000000000{n}" for n in range(1, 5))


class Translated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = stack.source()
        cls.template = stack.translated(cls.source)
        cls.functions = of_type(cls.template, FUNCTION)
        [cls.distribution] = of_type(cls.template, "AWS::CloudFront::Distribution").values()
        cls.distribution = cls.distribution["DistributionConfig"]

    def binary(self, function):
        return self.template["Resources"][function]["Metadata"]["BuildProperties"]["Binary"]

    def test_no_resources_depend_on_each_other_in_a_cycle(self):
        stack.order(self.template)

    def test_a_cycle_between_a_function_and_the_distribution_is_found(self):
        broken = stack.source()
        function = broken["Resources"]["CreateContactFunction"]["Properties"]
        function["Environment"] = {"Variables": {"DISTRIBUTION": {"Ref": "Distribution"}}}
        with self.assertRaises(graphlib.CycleError) as error:
            stack.order(stack.translated(broken))
        self.assertIn("Distribution", error.exception.args[1])

    def test_a_cycle_through_a_purge_permission_in_a_role_is_found(self):
        broken = stack.source()
        function = broken["Resources"]["CreateContactFunction"]["Properties"]
        arn = {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}
        allow = {"Effect": "Allow", "Action": "cloudfront:CreateInvalidation", "Resource": arn}
        function["Policies"].append({"Version": "2012-10-17", "Statement": [allow]})
        with self.assertRaises(graphlib.CycleError):
            stack.order(stack.translated(broken))

    def test_every_reference_has_its_target(self):
        known = {*self.template["Resources"], *self.template["Parameters"], *stack.PSEUDO, "AWS::NoValue"}
        code = {"SessionCookie"}  # Names in the CloudFront function.
        for name, resource in self.template["Resources"].items():
            self.assertEqual(references(resource) - known - code, set(), name)
        self.assertEqual(references(self.template["Outputs"]) - known, set())

    def test_the_functions_and_routes_are_those_of_the_local_stack(self):
        targets = {origin["Id"]: self.function_of(origin) for origin in self.distribution["Origins"]}
        expected = {"/": targets[self.distribution["DefaultCacheBehavior"]["TargetOriginId"]]}
        for behavior in self.distribution["CacheBehaviors"]:
            path = behavior["PathPattern"].replace("*", "x")
            expected[path] = targets[behavior["TargetOriginId"]]
        command = ["cargo", "run", "--quiet", "--example", "template", "--", *expected]
        local = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        self.assertEqual(local["routes"], expected)
        self.assertEqual(sorted(local["functions"]), sorted(map(self.binary, self.functions)))
        urls = of_type(self.template, "AWS::Lambda::Url").values()
        served = [self.binary(url["TargetFunctionArn"]["Ref"]) for url in urls]
        self.assertEqual(sorted(local["served"]), sorted(served))

    def function_of(self, origin):
        [url] = references(origin["DomainName"])
        target = self.template["Resources"][url]["Properties"]["TargetFunctionArn"]["Ref"]
        return self.binary(target)

    def test_the_behaviours_are_within_the_limit_of_a_distribution(self):
        self.assertLessEqual(len(self.distribution["CacheBehaviors"]) + 1, 75)

    def test_anyone_may_invoke_each_url_and_its_function_only_through_the_url(self):
        permissions = of_type(self.template, "AWS::Lambda::Permission").values()
        public = [p for p in permissions if p["Principal"] == "*"]
        for url in of_type(self.template, "AWS::Lambda::Url").values():
            self.assertEqual(url["AuthType"], "NONE")
            of_this = [p for p in public if p["FunctionName"] == url["TargetFunctionArn"]]
            actions = {p["Action"]: p for p in of_this}
            self.assertEqual(set(actions), {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"})
            self.assertEqual(actions["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"], "NONE")
            self.assertIs(actions["lambda:InvokeFunction"]["InvokedViaFunctionUrl"], True)
        self.assertEqual(len(public), 2 * len(of_type(self.template, "AWS::Lambda::Url")))

    def test_each_function_has_its_own_role_and_knows_both_secrets(self):
        roles = [function["Role"]["Fn::GetAtt"][0] for function in self.functions.values()]
        self.assertEqual(len(set(roles)), len(self.functions))
        self.assertEqual(set(roles), set(of_type(self.template, "AWS::IAM::Role")))
        for name, function in self.functions.items():
            environment = function["Environment"]["Variables"]
            for variable in ("SECRETS", "SECRETS_IN_USE"):
                self.assertIn(variable, environment, name)

    def test_no_statement_allows_all_actions_or_resources(self):
        for name, resource in self.template["Resources"].items():
            for statement in statements(resource):
                for what in ("Action", "Resource"):
                    text = json.dumps(statement[what])
                    self.assertNotRegex(text, r'"\*"|:\*"', f"{name}: {what} {text}")

    def test_no_output_shows_a_secret(self):
        secret = set(of_type(self.template, SECRET))
        self.assertTrue(secret)
        self.assertEqual(references(self.template["Outputs"]) & secret, set())
        self.assertNotIn("resolve:", json.dumps(self.template["Outputs"]))

    def test_secrets_are_generated_and_dynamic_references_within_the_limit(self):
        made = []
        for name, secret in of_type(self.template, SECRET).items():
            if "SecretString" in secret:
                made.append(secret["SecretString"])
            else:
                self.assertGreaterEqual(secret["GenerateSecretString"]["PasswordLength"], 128, name)
        self.assertEqual([len(stack.dynamic_references(text)) for text in made], [2], "A and B, and no text of its own")
        # One for each function, one for the edge, and the two above. The limit is CloudFormation's.
        self.assertEqual(len(stack.dynamic_references(self.template)), len(self.functions) + 1 + 2)
        self.assertLessEqual(len(stack.dynamic_references(self.template)), 60)

    def test_no_secret_is_read_back_from_a_service_that_may_not_know_it_yet(self):
        # Fn::GetAtt of a new SSM parameter fails now and then, and after an update may return the old value.
        self.assertEqual(of_type(self.template, "AWS::SSM::Parameter"), {})
        text = json.dumps(self.template["Resources"])
        for name in of_type(self.template, SECRET):
            self.assertNotIn(f'"Fn::GetAtt": ["{name}"', text)

    def test_a_rotation_changes_which_secret_is_in_use_and_nothing_else(self):
        a, b = self.values(SecretsInUse="A"), self.values(SecretsInUse="B")
        for name in of_type(self.template, SECRET):
            properties = self.template["Resources"][name]["Properties"]
            self.assertEqual(a.of(properties), b.of(properties), name)
        for name, function in self.functions.items():
            before, after = (values.of(function["Environment"]["Variables"]) for values in (a, b))
            self.assertEqual(before["SECRETS"], after["SECRETS"], name)
            self.assertEqual((before["SECRETS_IN_USE"], after["SECRETS_IN_USE"]), ("A", "B"), name)
        code = [values.of(self.edge_code()) for values in (a, b)]
        self.assertEqual(code[0], code[1].replace("'B' === 'B'", "'A' === 'B'"))
        self.assertNotEqual(*code)

    def test_a_new_generation_replaces_one_secret_and_every_reference_to_it(self):
        # CloudFormation resolves a reference again only if its text changes.
        for parameters, replaced in (
            ({"SecretsGenerationA": "2"}, {"SecretA", "Secrets"}), ({"SecretsGenerationB": "2"}, {"SecretB", "Secrets"}),
        ):
            before, after = self.values(), self.values(**parameters)
            for name, secret in of_type(self.template, SECRET).items():
                changed = before.of(secret["Name"]) != after.of(secret["Name"])
                self.assertEqual(changed, name in replaced, name)
            for name, function in self.functions.items():
                self.assertEqual(function["Environment"]["Variables"]["SECRETS"], {"Fn::Sub": "{{resolve:secretsmanager:${Secrets}:SecretString}}"}, name)
            self.assertIn("{{resolve:secretsmanager:Secrets:SecretString}}", after.of(self.edge_code()))

    def test_every_name_fits_for_a_stack_with_a_name_of_any_length_in_any_region(self):
        for stack_name in ("s", "s" * 50, "s" * 128):
            for region in ("us-east-1", "ap-southeast-1", "us-isof-south-1"):
                names = self.names(stack_name, region, FIRST)
                for (kind, logical), name in names.items():
                    longest, characters = NAMES[kind]
                    self.assertLessEqual(len(name), longest, logical)
                    self.assertRegex(name, f"^{characters}+$", logical)
                comments = [
                    self.values(**{"AWS::StackName": stack_name}).of(comment)
                    for comment in found(self.template["Resources"], "Comment")
                ]
                self.assertGreater(len(comments), 5)
                self.assertLessEqual(max(map(len, comments)), 128)

    def test_no_account_wide_name_is_used_twice_in_an_account(self):
        # By a stack of the same name in another region, or with a name whose beginning is the same.
        stacks = [("crm", "us-east-1", FIRST), ("crm", "eu-central-1", SECOND), ("c" * 127 + "a", "us-east-1", THIRD), ("c" * 127 + "b", "us-east-1", FOURTH)]
        taken = [
            (kind, name) for each in stacks
            for (kind, _), name in self.names(*each).items() if kind in ACCOUNT_WIDE
        ]
        self.assertEqual(len(taken), 4 * 6)
        self.assertEqual(len(set(taken)), len(taken))

    def test_what_a_deleted_stack_may_leave_does_not_stop_its_next_creation(self):
        # A late line creates the log group again. A deleted secret keeps its name for a while.
        before, after = (self.names("crm", "us-east-1", id) for id in (FIRST, SECOND))
        for kind in ("AWS::Logs::LogGroup", SECRET):
            for key in (key for key in before if key[0] == kind):
                self.assertNotEqual(before[key], after[key], key)
        kept = {n for n, r in self.template["Resources"].items() if r.get("DeletionPolicy", "Delete") != "Delete"}
        self.assertEqual(kept, {"Table"})
        self.assertNotIn("TableName", self.template["Resources"]["Table"]["Properties"])

    def names(self, stack_name, region, id):
        """Returns a map of kinds and logical ids to the names that the template gives."""
        arn = f"arn:aws:cloudformation:{region}:123456789012:stack/{stack_name}/{id}"
        values = self.values(**{"AWS::StackName": stack_name, "AWS::Region": region, "AWS::StackId": arn})
        names = {}
        for logical, resource in self.template["Resources"].items():
            properties = resource.get("Properties", {})
            config = next((v for k, v in properties.items() if k.endswith("PolicyConfig")), properties)
            given = [v for k, v in config.items() if k in ("Name", "DashboardName", "LogGroupName") or k == resource["Type"].split("::")[-1] + "Name"]
            if given and resource["Type"] != "AWS::Lambda::Permission":
                names[resource["Type"], logical] = values.of(given[0])
        return names

    def edge_code(self):
        [function] = of_type(self.template, "AWS::CloudFront::Function").values()
        return function["FunctionCode"]

    def values(self, **parameters):
        made = {name: {"Ref": name} for name in self.template["Resources"]}
        return Values(self.template, parameters, made)

    def test_the_edge_sends_the_secret_in_use_and_every_policy_forwards_it(self):
        for origin in self.distribution["Origins"]:
            self.assertNotIn("OriginCustomHeaders", origin)
        for name, policy in of_type(self.template, "AWS::CloudFront::OriginRequestPolicy").items():
            headers = policy["OriginRequestPolicyConfig"]["HeadersConfig"]["Headers"]
            self.assertIn("x-crm-secret", headers, name)
            self.assertLessEqual(len(headers), 10, name)

    def test_at_most_two_functions_read_the_stream_and_what_they_skip_is_kept(self):
        mappings = of_type(self.template, "AWS::Lambda::EventSourceMapping")
        self.assertEqual(len(mappings), 2)
        [queue] = of_type(self.template, "AWS::SQS::Queue")
        for name, mapping in mappings.items():
            kept = {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}}
            self.assertEqual(mapping["DestinationConfig"], kept, name)
            # Without an end, one bad record would hold up all others for a day.
            self.assertLessEqual(mapping["MaximumRecordAgeInSeconds"], 300, name)
            role = self.functions[mapping["FunctionName"]["Ref"]]["Role"]["Fn::GetAtt"][0]
            sends = [
                statement for statement in statements(self.template["Resources"][role])
                if statement["Action"] == "sqs:SendMessage"
            ]
            self.assertEqual([s["Resource"] for s in sends], [{"Fn::GetAtt": [queue, "Arn"]}], name)

    def test_https_covers_the_subdomains_only_if_asked_for(self):
        [policy] = of_type(self.template, "AWS::CloudFront::ResponseHeadersPolicy").values()
        hsts = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["StrictTransportSecurity"]
        self.assertEqual(self.values().of(hsts["IncludeSubdomains"]), "false")
        self.assertEqual(self.values(HstsIncludeSubdomains="true").of(hsts["IncludeSubdomains"]), "true")
        self.assertIs(hsts["Override"], True, "so that the functions' own header does not decide")

    def test_a_region_without_function_urls_is_refused_with_a_message(self):
        rule = self.template["Rules"]["RegionHasFunctionUrls"]["Assertions"][0]
        regions, region = rule["Assert"]["Fn::Not"][0]["Fn::Contains"]
        self.assertEqual(region, {"Ref": "AWS::Region"})
        self.assertIn("no Lambda function URLs", rule["AssertDescription"])
        text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        for name in regions:
            self.assertIn(f"`{name}`", text)

    def test_ci_builds_a_function_for_the_default_architecture(self):
        self.assertEqual(self.template["Parameters"]["Architecture"]["Default"], "arm64")
        self.assertIn("tests/arm64.sh", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
        self.assertIn("aarch64-unknown-linux-gnu", (ROOT / "tests" / "arm64.sh").read_text(encoding="utf-8"))

    def test_the_answers_of_sam_are_not_under_version_control(self):
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        self.assertIn("/samconfig.toml", ignored)
        if (ROOT / ".git").exists():
            listed = subprocess.check_output(["git", "ls-files", "samconfig*"], cwd=ROOT, text=True)
            self.assertEqual(listed, "")

    def test_a_custom_domain_comes_with_its_certificate(self):
        plain = self.values().of({k: self.distribution[k] for k in ("Aliases", "ViewerCertificate")})
        self.assertEqual(plain, {"ViewerCertificate": {"CloudFrontDefaultCertificate": True}})
        own = self.values(DomainName="crm.example.com", CertificateArn="arn:aws:acm:us-east-1:1:certificate/0a")
        self.assertEqual(own.of(self.distribution["Aliases"]), ["crm.example.com"])
        certificate = own.of(self.distribution["ViewerCertificate"])
        self.assertEqual(certificate["AcmCertificateArn"], "arn:aws:acm:us-east-1:1:certificate/0a")
        origins = self.functions["SignUpFunction"]["Environment"]["Variables"]["ALLOWED_ORIGINS"]
        self.assertEqual((own.of(origins), self.values().of(origins)), ("https://crm.example.com", ""))

    def test_every_alarm_notifies_the_topic(self):
        for name, alarm in of_type(self.template, "AWS::CloudWatch::Alarm").items():
            self.assertEqual(alarm["AlarmActions"], [{"Ref": "AlarmTopic"}], name)

    def test_the_alarms_are_free_unless_emails_are_sent(self):
        # AWS bills each metric that an alarm watches, after ten; an expression of two metrics is two.
        for region, mail, expected in (
            ("us-east-1", "", 10), ("us-east-1", "crm@example.com", 11), ("eu-central-1", "", 9),
        ):
            values = self.values(**{"AWS::Region": region, "MailFrom": mail})
            watched = [
                metric
                for name, alarm in of_type(self.template, "AWS::CloudWatch::Alarm").items()
                if values.holds(self.template["Resources"][name].get("Condition", {"Fn::Equals": [1, 1]}))
                for metric in watched_metrics(alarm)
            ]
            self.assertEqual(len(watched), expected, (region, mail))
        text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        self.assertIn("alarms on ten metrics (with `MailFrom` on eleven, which adds 0.10)", text)

    def test_an_alarm_watches_what_is_left_of_the_purges(self):
        alarm = of_type(self.template, "AWS::CloudWatch::Alarm")["PurgesAlarm"]
        self.assertEqual((alarm["MetricName"], alarm["Statistic"]), ("purgesLeft", "Minimum"))
        # A view reserves two purges for a page, so one that is left is of no use.
        self.assertEqual((alarm["ComparisonOperator"], alarm["Threshold"]), ("LessThanThreshold", 2))
        # Without views nothing is reported, and nothing is wrong.
        self.assertEqual(alarm["TreatMissingData"], "notBreaching")

    def test_the_dashboard_is_json(self):
        [dashboard] = of_type(self.template, "AWS::CloudWatch::Dashboard").values()
        made = {name: {"Ref": name, "QueueName": name} for name in self.template["Resources"]}
        body = Values(self.template, made=made).of(dashboard["DashboardBody"])
        self.assertGreater(len(json.loads(body)["widgets"]), 3)

    def test_every_watched_metric_is_one_that_the_functions_log(self):
        logged = (ROOT / "shared" / "wrapper" / "src" / "log.rs").read_text(encoding="utf-8")
        metrics = set(re.findall(r'\("(\w+)", "(?:Milliseconds|Count)"\)', logged))
        alarms = of_type(self.template, "AWS::CloudWatch::Alarm").values()
        watched = {
            metric["Metric"]["MetricName"]
            for alarm in alarms for metric in watched_metrics(alarm) if metric["Metric"]["Namespace"] == "EdgeCRM"
        }
        self.assertTrue(watched)
        self.assertLessEqual(watched, metrics)

    def test_the_template_has_the_current_cloudfront_function(self):
        check = [sys.executable, ROOT / "infra" / "edge" / "inline.py", "--check"]
        subprocess.run(check, check=True, env={**os.environ})


def watched_metrics(alarm):
    """Returns the metrics that an alarm watches, each in the shape of `MetricStat`."""
    if "Metrics" in alarm:
        return [metric["MetricStat"] for metric in alarm["Metrics"] if "MetricStat" in metric]
    return [{
        "Metric": {"Namespace": alarm["Namespace"], "MetricName": alarm["MetricName"]},
        "Period": alarm["Period"], "Stat": alarm.get("Statistic", alarm.get("ExtendedStatistic")),
    }]


def found(value, key):
    """Returns the values of this key, wherever it is."""
    if isinstance(value, list):
        return [inner for item in value for inner in found(item, key)]
    if not isinstance(value, dict):
        return []
    return [inner for k, v in value.items() for inner in ([v] if k == key else found(v, key))]


def statements(resource):
    """Returns the permission statements of a role or a policy."""
    properties = resource.get("Properties", {})
    documents = [p["PolicyDocument"] for p in properties.get("Policies", [])]
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        documents.append(properties["PolicyDocument"])
    return [statement for document in documents for statement in document["Statement"]]


if __name__ == "__main__":
    unittest.main()
