"""The template as CloudFormation gets it: translated by SAM, with its references and values."""

import copy
import json
import logging
import os
import re
from graphlib import TopologicalSorter
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")
DYNAMIC = re.compile(r"\{\{resolve:secretsmanager:(.+?):SecretString\}\}")
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/edge-crm/0197a3b0-0000-4000-8000-000000000001",
    "AWS::StackName": "edge-crm",
}
NO_VALUE = object()
# SAM logs that it sends its own metrics nowhere.
logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)


class ManagedPolicies:
    """The managed policies that SAM would otherwise load from IAM."""

    def load(self):
        name = "AWSLambdaBasicExecutionRole"
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}"}


def source():
    """Returns the template as it is written."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def translated(template=None):
    """Returns the template as SAM passes it to CloudFormation, as if the code were uploaded."""
    template = copy.deepcopy(template or source())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://a-bucket/a-key"
    os.environ.setdefault("AWS_DEFAULT_REGION", PSEUDO["AWS::Region"])
    return transform(template, {}, ManagedPolicies())


def of_type(template, kind):
    """Returns a map of logical ids to properties, of all resources of a type."""
    resources = template["Resources"].items()
    return {name: r.get("Properties", {}) for name, r in resources if r["Type"] == kind}


def references(value):
    """Returns the names that a value refers to with Ref, Fn::GetAtt, Fn::Sub or DependsOn."""
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add(inner[0] if isinstance(inner, list) else inner.split(".")[0])
        elif key == "Fn::Sub":
            text, names = inner if isinstance(inner, list) else (inner, {})
            found |= {name.split(".")[0] for name in SUBSTITUTION.findall(text)} - set(names)
            found |= references(names)
        elif key == "DependsOn":
            found |= {inner} if isinstance(inner, str) else set(inner)
        else:
            found |= references(inner)
    return found


def order(template):
    """Returns the resources in an order in which each comes after those it needs. Raises
    graphlib.CycleError if there is no such order."""
    resources = template["Resources"]
    return list(TopologicalSorter(
        {name: references(resource) & set(resources) for name, resource in resources.items()}
    ).static_order())


class Values:
    """Evaluates intrinsic functions, given the parameters and the resources that exist: a map of
    logical ids to `{"Ref": …, attribute: …}`."""

    def __init__(self, template, parameters=None, made=None):
        defaults = {name: p["Default"] for name, p in template["Parameters"].items()}
        self.parameters = {**PSEUDO, **defaults, **(parameters or {})}
        self.conditions = template.get("Conditions", {})
        self.made = made or {}

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        [(function, arguments)] = condition.items()
        if function == "Fn::Not":
            return not self.holds(arguments[0])
        if function == "Fn::Equals":
            left, right = (str(self.of(argument)) for argument in arguments)
            return left == right
        raise NotImplementedError(function)

    def of(self, value):
        """Returns the value with its intrinsic functions evaluated."""
        if isinstance(value, list):
            return [kept for item in value if (kept := self.of(item)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, arguments)] = value.items()
            evaluate = {
                "Ref": self.ref,
                "Fn::GetAtt": lambda a: self.made[a[0]][a[1]],
                "Fn::If": lambda a: self.of(a[1] if self.holds(a[0]) else a[2]),
                "Fn::Sub": self.sub,
                "Fn::Select": lambda a: self.of(a[1])[int(a[0])],
                "Fn::Split": lambda a: self.of(a[1]).split(a[0]),
            }.get(function)
            if evaluate:
                return evaluate(arguments)
        pairs = ((key, self.of(inner)) for key, inner in value.items())
        return {key: inner for key, inner in pairs if inner is not NO_VALUE}

    def ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.parameters[name] if name in self.parameters else self.made[name]["Ref"]

    def sub(self, arguments):
        text, names = arguments if isinstance(arguments, list) else (arguments, {})

        def value(match):
            name, _, attribute = match[1].partition(".")
            if match[1] in names:
                return str(self.of(names[match[1]]))
            return str(self.of({"Fn::GetAtt": [name, attribute]}) if attribute else self.ref(name))

        return SUBSTITUTION.sub(value, text)


def dynamic_references(template):
    """Returns all dynamic references in the template."""
    return re.findall(r"\{\{resolve:", json.dumps(template))
