"""What check.py checks with: the program, a receiver of webhooks, and what ends it when something does not hold."""

import http.server
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import stripe

START_SECONDS = 60
held = 0


def same(what, found, wanted):
    global held
    if found != wanted:
        raise SystemExit(f"check.py: {what}: found {found!r}, wanted {wanted!r}")
    held += 1


def true(what, found):
    same(what, bool(found), True)


def refused(what, error, call, **fields):
    """The call is refused with this class of the library, and with these fields of the error."""
    try:
        answer = call()
    except stripe.StripeError as caught:
        same(f"{what}: class", type(caught).__name__, error.__name__)
        for field, wanted in fields.items():
            # Some classes of the library have the code only in the error object.
            found = getattr(caught, field)
            same(f"{what}: {field}", getattr(caught.error, field, None) if found is None else found, wanted)
        return caught
    raise SystemExit(f"check.py: {what}: not refused, but answered {str(answer)[:200]}")


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes webhooks; answers with the status that the test has set."""

    taken, status = [], 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Hook.taken.append((self.path, self.headers["stripe-signature"], body))
        self.send_response(Hook.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Fake:
    """The program, and what a test does to it."""

    def __init__(self, program):
        command = [program, "--port", "0", "--now", str(int(time.time()))]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # A program that prints nothing is ended, and with it the wait for its line.
        late = threading.Timer(START_SECONDS, self.process.kill)
        late.start()
        self.url = self.process.stdout.readline().strip()
        late.cancel()
        true("the program prints its address", self.url.startswith("http://127.0.0.1:"))

    def __call__(self, path, body=None, method=None):
        data = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.url}/_fake/{path}", data, method=method or "POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def get(self, path):
        return self(path, method="GET")

    def client(self, key="sk_test_fake", **options):
        return stripe.StripeClient(key, base_addresses={"api": self.url}, max_network_retries=0, **options)
