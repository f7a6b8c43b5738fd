"""Tests that the OpenAPI document is valid and complete."""

import json
import unittest

from openapi_spec_validator import validate
from stack import ROOT


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation

    def test_it_is_valid(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        validate(self.document)

    def test_each_operation_has_its_own_name(self):
        names = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(names), len(set(names)))

    def test_operations_that_need_a_session_declare_it(self):
        for path, _, operation in self.operations():
            if path.startswith("/t/"):
                self.assertEqual(operation["security"], [{"session": []}], path)


if __name__ == "__main__":
    unittest.main()
