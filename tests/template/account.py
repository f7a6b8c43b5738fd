"""An AWS account on this machine: moto's server with the template's stack. moto does not support
every resource. The others are made here through the API, or left out and listed."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import boto3
import stack
from stack import PSEUDO, Values, of_type, references

# The resources of a template that moto 5.2 makes. It refuses or ignores others, and for an event source
# mapping it would run functions in containers.
KNOWN = {
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": PSEUDO["AWS::Region"],
}


@contextlib.contextmanager
def server():
    """Runs moto's server until the end of the block. Yields its URL."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    # The functions have no code archive that moto could check.
    environment = {**os.environ, "VALIDATE_LAMBDA_S3": "false", "MOTO_ENABLE_ISO_REGIONS": "false"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


class Account:
    """An account with the stack."""

    def __init__(self, url, name=PSEUDO["AWS::StackName"]):
        self.url = url
        # As CloudFormation makes it: a new id for each creation.
        arn = f"{PSEUDO['AWS::StackId'].rsplit('/', 2)[0]}/{name}/{uuid.uuid4()}"
        self.pseudo = {"AWS::StackName": name, "AWS::StackId": arn}
        self.template = stack.translated()
        self.secrets = {}
        unknown = {n: r for n, r in self.template["Resources"].items() if r["Type"] not in KNOWN}
        self.left_out = sorted({resource["Type"] for resource in unknown.values()})
        self.make_stack(unknown)
        self.distribution = self.make_distribution()

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name=PSEUDO["AWS::Region"],
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )

    def values(self, made, **parameters):
        """Returns the values of this stack, with these parameters and resources."""
        return Values(self.template, {**self.pseudo, **parameters}, made)

    def make_secrets(self, **parameters):
        """Makes the secrets of a deployment with these parameters, as CloudFormation does: a secret with
        a new name is a new secret, others stay. moto's CloudFormation makes no secrets, but its API does.
        Returns a map of logical ids to `{"Ref": ARN}`."""
        client = self.client("secretsmanager")
        secrets = of_type(self.template, "AWS::SecretsManager::Secret")
        made = {}
        for name in filter(secrets.get, stack.order(self.template)):
            values = self.values(made, **parameters)
            physical = values.of(secrets[name]["Name"])
            if physical not in self.secrets:
                text = self.generated(secrets[name]) or self.resolved(values.of(secrets[name]["SecretString"]))
                self.secrets[physical] = client.create_secret(Name=physical, SecretString=text)["ARN"]
            made[name] = {"Ref": self.secrets[physical]}
        return made

    def generated(self, secret):
        """Returns the text that Secrets Manager generates for a secret; None if it generates none."""
        if wanted := secret.get("GenerateSecretString"):
            return self.client("secretsmanager").get_random_password(**wanted)["RandomPassword"]

    def resolved(self, text):
        """Returns the text with its dynamic references resolved, because moto does not resolve them."""
        client = self.client("secretsmanager")
        return re.sub(stack.DYNAMIC, lambda match: client.get_secret_value(SecretId=match[1])["SecretString"], text)

    def variables(self, function, **parameters):
        """Returns the variables for the secrets of a function, in a deployment with these parameters."""
        values = self.values(self.make_secrets(**parameters), **parameters)
        variables = self.template["Resources"][function]["Properties"]["Environment"]["Variables"]
        return {name: self.resolved(values.of(variables[name])) for name in ("SECRETS", "SECRETS_IN_USE")}

    def sent(self, **parameters):
        """Returns what the edge sends to the functions in a deployment with these parameters."""
        variables = self.variables("SignUpFunction", **parameters)
        return variables["SECRETS"].split(".")["AB".index(variables["SECRETS_IN_USE"])][-64:]

    def make_stack(self, unknown):
        """Makes the stack without the resources that moto does not support and those that need them."""
        template = json.loads(json.dumps(self.template))
        template.pop("Rules")
        resources = template["Resources"]
        for name in of_type(self.template, "AWS::Lambda::Function"):
            resources[name]["Properties"]["Environment"]["Variables"].update(self.variables(name))
        for name in unknown:
            del resources[name]
        gone = set(unknown)
        for part in (resources, template["Outputs"]):
            for name in [n for n, value in part.items() if references(value) & gone]:
                del part[name]
                if part is resources:
                    self.left_out.append(f"{name}, which needs one of these")
        client = self.client("cloudformation")
        name = self.pseudo["AWS::StackName"]
        client.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        client.get_waiter("stack_create_complete").wait(StackName=name)
        made = client.describe_stack_resources(StackName=name)["StackResources"]
        self.made = {r["LogicalResourceId"]: {"Ref": r["PhysicalResourceId"]} for r in made}

    def delete(self):
        """Deletes the stack."""
        client, name = self.client("cloudformation"), self.pseudo["AWS::StackName"]
        client.delete_stack(StackName=name)
        client.get_waiter("stack_delete_complete").wait(StackName=name)

    def environment(self, function):
        """Returns the environment variables of the function with this logical id in moto."""
        client = self.client("lambda")
        configuration = client.get_function_configuration(FunctionName=self.made[function]["Ref"])
        return configuration["Environment"]["Variables"]

    def make_distribution(self):
        """Makes the template's distribution through CloudFront's API."""
        made = dict(self.made)
        for name in of_type(self.template, "AWS::Lambda::Url"):
            made[name] = {"FunctionUrl": f"https://{name.lower()}.lambda-url.us-east-1.on.aws/"}
        for name, resource in self.template["Resources"].items():
            if resource["Type"].startswith("AWS::CloudFront::"):
                arn = f"arn:aws:cloudfront::{PSEUDO['AWS::AccountId']}:function/{name}"
                made[name] = {"Ref": name, "FunctionMetadata.FunctionARN": arn}
        [config] = of_type(self.template, "AWS::CloudFront::Distribution").values()
        config = as_api(self.values(made).of(config["DistributionConfig"]))
        config["CallerReference"] = self.pseudo["AWS::StackId"]
        response = self.client("cloudfront").create_distribution(DistributionConfig=config)
        return response["Distribution"]

    def invalidations(self):
        """Returns the items of all invalidations so far."""
        client, id = self.client("cloudfront"), self.distribution["Id"]
        items = []
        for summary in client.list_invalidations(DistributionId=id)["InvalidationList"].get("Items", []):
            response = client.get_invalidation(DistributionId=id, Id=summary["Id"])
            items += response["Invalidation"]["InvalidationBatch"]["Paths"]["Items"]
        return items


def as_api(value):
    """Converts a distribution from CloudFormation's shape to that of CloudFront's API."""
    renamed = {"OriginCustomHeaders": "CustomHeaders", "OriginSSLProtocols": "OriginSslProtocols"}
    if isinstance(value, list):
        return {"Quantity": len(value), "Items": [as_api(item) for item in value]}
    if not isinstance(value, dict):
        return value
    shape = {renamed.get(key, key): as_api(inner) for key, inner in value.items()}
    if "OriginProtocolPolicy" in shape:
        shape |= {"HTTPPort": 80, "HTTPSPort": 443}
    if "IPV6Enabled" in shape:
        shape["IsIPV6Enabled"] = shape.pop("IPV6Enabled")
    return shape
