"""A site whose members sign in through Usher: all of it in one file, to be read.

    pip install "pyjwt[crypto]"
    USHER=http://127.0.0.1:8080 python app.py

README.md beside it says what to set at Usher.
"""

import html
import os
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import jwt

LEEWAY_S = 5  # clocks differ
MAX_BODY_BYTES = 16 * 1024


class Usher:
    """Checks the tokens that Usher signs for this site."""

    def __init__(self, usher_url, login_url):
        self.issuer, self.audience = usher_url, login_url
        # Keeps the keys for five minutes, and asks again, though not all the time, when a token names one that it lacks.
        self.keys = jwt.PyJWKClient(usher_url + "/.well-known/jwks.json", lifespan=300, cooldown_duration=2)
        # The sign-ins that were taken, until they are over. Where several processes serve, this is a table of the
        # database with a unique column.
        self.taken, self.lock = {}, threading.Lock()

    def member(self, token):
        """Who comes with this token. Raises jwt.PyJWTError unless it is Usher's, for this site, fresh, and new here."""
        claims = jwt.decode(
            token,
            self.keys.get_signing_key_from_jwt(token).key,
            algorithms=["EdDSA"],  # never what the token itself asks for
            issuer=self.issuer,
            audience=self.audience,
            leeway=LEEWAY_S,
            options={"require": ["sub", "email", "iss", "aud", "jti", "iat", "exp"]},
        )
        with self.lock:
            now = time.time()
            self.taken = {jti: until for jti, until in self.taken.items() if until >= now}
            if claims["jti"] in self.taken:
                raise jwt.InvalidTokenError("it was used before")
            self.taken[claims["jti"]] = claims["exp"] + LEEWAY_S
        return claims


class Site(BaseHTTPRequestHandler):
    usher = None
    sessions = {}  # cookie: member

    def do_POST(self):
        if self.path == "/login":
            return self.login()
        if self.path == "/logout":
            self.sessions.pop(self.cookie(), None)
            return self.go("/", "session=; Max-Age=0; Path=/")
        return self.say(404, "There is nothing here.")

    def login(self):
        """Usher's page posts `token` here, as a form."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            return self.say(413, "That is no token.")
        form = parse_qs(self.rfile.read(length).decode("ascii", "replace"))
        try:
            member = self.usher.member(form.get("token", [""])[0])
        except jwt.PyJWTError as error:
            return self.say(403, f"You could not be signed in: {error}. Ask for a new link.")
        session = secrets.token_urlsafe(32)  # a new one each time: one that was there before is nobody's
        self.sessions[session] = {"id": member["sub"], "email": member["email"], "name": member.get("name")}
        # Lax and not Strict: the browser comes here from Usher's page.
        secure = "; Secure" if self.usher.audience.startswith("https:") else ""
        self.go(member.get("redirect", "/"), f"session={session}; Path=/; HttpOnly; SameSite=Lax{secure}")

    def do_GET(self):
        member = self.sessions.get(self.cookie())
        if member is None:
            return self.say(200, "You are not signed in.")
        name = html.escape(member["name"] or member["email"])
        form = "<form method=post action=/logout><button>Sign out</button></form>"
        return self.say(200, f"You are signed in as {name}.", form)

    def cookie(self):
        pairs = (pair.strip().partition("=") for pair in self.headers.get("Cookie", "").split(";"))
        return next((value for name, _, value in pairs if name == "session"), None)

    def go(self, path, cookie):
        self.send_response(303)
        self.send_header("Location", path)
        self.send_header("Set-Cookie", cookie)
        self.end_headers()

    def say(self, status, text, form=""):
        body = f"<!doctype html><meta charset=utf-8><title>Example</title><p>{text}</p>{form}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Site)
    url = f"http://127.0.0.1:{server.server_port}/login"
    Site.usher = Usher(os.environ["USHER"], os.environ.get("LOGIN_URL", url))
    print(Site.usher.audience, flush=True)
    server.serve_forever()
