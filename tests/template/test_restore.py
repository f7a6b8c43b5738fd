"""Tests the script that restores the table, with a program in the place of the AWS CLI that notes its
calls."""

import os
import stat
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path

import stack
from stack import ROOT

FAKE = textwrap.dedent("""\
    #!/usr/bin/env bash
    echo "$*" >>"$CALLS"
    case "$1 $2" in
      'cloudformation describe-stacks') echo the-table ;;
      'dynamodb wait') [ "$(grep -c 'dynamodb wait' "$CALLS")" -gt "$REFUSED" ] || { echo 'Max attempts exceeded' >&2; exit 255; } ;;
      'dynamodb describe-time-to-live') echo "$TTL" ;;
      'dynamodb describe-table')
        case "$*" in *StreamEnabled*) echo "$STREAM" ;; *LatestStreamArn*) echo arn:aws:dynamodb:the-stream ;; esac ;;
    esac
""")


class Restore(unittest.TestCase):
    def restore(self, *arguments, refused=0, ttl="DISABLED", stream="None"):
        """Runs the script. The first `refused` waits end without the table. Returns the result and the calls."""
        with tempfile.TemporaryDirectory() as folder:
            aws, calls = Path(folder, "aws"), Path(folder, "calls")
            aws.write_text(FAKE, encoding="utf-8")
            aws.chmod(aws.stat().st_mode | stat.S_IXUSR)
            environment = {
                **os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls),
                "REFUSED": str(refused), "TTL": ttl, "STREAM": stream,
            }
            command = [ROOT / "infra" / "restore.sh", *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            return done, calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []

    def test_the_new_table_gets_every_setting_and_the_parameters_are_printed(self):
        done, calls = self.restore("edge-crm", "2026-11-20T09:00:00Z", refused=3)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = "\n".join(calls)
        for setting in ("expires_at", "PointInTimeRecoveryEnabled=true", "StreamViewType=KEYS_ONLY", "--deletion-protection-enabled"):
            self.assertIn(setting, text)
        self.assertRegex(done.stdout, r'^ExistingTableName=\\"edge-crm-restored-\d{8}-\d{6}\\" ExistingTableStreamArn=\\"arn:aws:dynamodb:the-stream\\"\n$')

    def test_waiting_ends_with_a_message_that_says_how_to_go_on(self):
        done, calls = self.restore("edge-crm", "2026-11-20T09:00:00Z", refused=10_000)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len([call for call in calls if "wait table-exists" in call]), 30)
        self.assertIn("Gave up: the table edge-crm-restored-", done.stderr)
        self.assertIn("Max attempts exceeded", done.stderr)
        self.assertRegex(done.stderr, r"restore\.sh --continue edge-crm-restored-\d{8}-\d{6}\n$")

    def test_it_can_be_continued_and_repeats_nothing(self):
        done, calls = self.restore("--continue", "a-table", ttl="ENABLED", stream="True")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = "\n".join(calls)
        for made in ("restore-table", "update-time-to-live", "--stream-specification"):
            self.assertNotIn(made, text)
        self.assertIn('ExistingTableName=\\"a-table\\"', done.stdout)

    def test_wrong_arguments_print_the_usage(self):
        for arguments in ((), ("edge-crm",), ("a", "b", "c")):
            done, calls = self.restore(*arguments)
            self.assertEqual((done.returncode, calls), (2, []))
            self.assertIn("infra/restore.sh edge-crm 2026", done.stderr)

    def test_the_settings_are_those_of_the_template(self):
        table = stack.source()["Resources"]["Table"]["Properties"]
        _, calls = self.restore("--continue", "a-table")
        text = "\n".join(calls)
        attribute = table["TimeToLiveSpecification"]["AttributeName"]
        self.assertIn(f"Enabled=true,AttributeName={attribute}", text)
        view = table["StreamSpecification"]["StreamViewType"]
        self.assertIn(f"StreamEnabled=true,StreamViewType={view}", text)


if __name__ == "__main__":
    unittest.main()
