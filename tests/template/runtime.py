"""Lambda's runtime API on this machine, for one function: the part that a binary for `provided.al2023`
calls (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = "/2018-06-01/runtime"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Ignores the open call that a stopped function leaves behind."""


class Function:
    """A binary that runs as on Lambda, with its own environment."""

    def __init__(self, binary, environment):
        self.events, self.responses = queue.Queue(), queue.Queue()
        self.server = Server(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": os.path.basename(binary),
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/edge-crm",
            "AWS_LAMBDA_LOG_STREAM_NAME": "here",
            **environment,
        }
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [binary], env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def handler(function):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                event = function.events.get()
                self.respond(200, json.dumps(event).encode(), {
                    "Lambda-Runtime-Aws-Request-Id": event["requestContext"]["requestId"],
                    "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 15_000),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:here",
                })

            def do_POST(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b"".join(iter(self.chunk, b""))
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                function.responses.put((self.path.rsplit("/", 1)[-1], body))
                self.respond(202, b"{}", {})

            def chunk(self):
                size = int(self.rfile.readline(), 16)
                data = self.rfile.read(size)
                self.rfile.readline()
                return data

            def respond(self, status, body, headers):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def invoke(self, event):
        """Invokes the function with an event. Returns the response."""
        self.events.put(event)
        kind, body = self.responses.get(timeout=30)
        if kind != "response":
            raise AssertionError(f"{kind}: {body.decode()}\n{self.logged()}")
        return json.loads(body)

    def logged(self):
        """Returns the log so far."""
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.server.shutdown()
        self.server.server_close()
        self.log.close()


@contextlib.contextmanager
def running(binary, environment):
    """Runs a function until the end of the block."""
    function = Function(binary, environment)
    try:
        yield function
    finally:
        function.stop()
