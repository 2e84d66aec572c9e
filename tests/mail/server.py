"""A mail server for the tests, on a free port of 127.0.0.1: aiosmtpd, which others wrote.

    server.py FOLDER [--security plain|starttls|tls] [--login USER:PASSWORD]

Prints its port once it listens, and ends with standard input. Each message that it takes is a line of FOLDER/log: what
Python's `email` reads in it, and whether dkimpy verifies its signature with the record in FOLDER/record. With TLS,
FOLDER/ca.pem is the certificate to believe.

A recipient says what is to be answered: `rcpt-550-5.1.1@…`, `data-554-5.7.1@…` refuse; `once-rcpt-450-4.2.1@…` does so the
first time only; `once-drop@…` takes the message and hangs up without a word, the first time.
"""

import argparse
import asyncio
import datetime
import email
import email.policy
import ipaddress
import json
import logging
import pathlib
import warnings
import ssl
import sys

import dkim
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Handler:
    def __init__(self, folder):
        self.folder = folder
        self.seen = set()

    def answer(self, stage, address):
        """What a recipient's name asks for at a stage, if it does."""
        words = address.split('@')[0].split('-')
        if words[0] == 'once':
            if address in self.seen:
                return None
            words = words[1:]
        if words[0] != stage:
            return None
        self.seen.add(address)
        return ' '.join(words[1:]) + ' as the test wants' if words[1:] else ''

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answer('rcpt', address)
        if answer is None:
            envelope.rcpt_tos.append(address)
            answer = '250 OK'
        return answer

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        answer = self.answer('data', to)
        if answer is not None:
            return answer
        self.keep(session, envelope)
        if self.answer('drop', to) is not None:
            server.transport.abort()
        return '250 2.0.0 taken'

    def keep(self, session, envelope):
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        html = message.get_body(('html',))
        seen = {
            'envelope': [envelope.mail_from, envelope.rcpt_tos],
            'headers': [[name, str(value)] for name, value in message.items()],
            'text': message.get_body(('plain',)).get_content(),
            'html': html and html.get_content(),
            'defects': [str(defect) for part in message.walk() for defect in part.defects],
            'dkim': self.verified(raw),
            'tls': session.ssl is not None,
            'login': session.auth_data.decode() if session.auth_data else None,
        }
        with open(self.folder / 'log', 'a') as log:
            log.write(json.dumps(seen) + '\n')

    def verified(self, raw):
        record = self.folder / 'record'
        if not record.exists():
            return None
        name, value = record.read_bytes().split(b' ', 1)
        return dkim.verify(raw, dnsfunc=lambda asked, timeout=5: value if asked.strip(b'.') == name else None)


def certificate(folder):
    """A certificate of localhost, and that of who has signed it."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def build(name, issuer, public_key, signer, is_ca):
        def named(text):
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(issuer))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        )
        if not is_ca:
            names = [x509.DNSName('localhost'), x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = build('usher tests', 'usher tests', ca_key.public_key(), ca_key, True)
    own = build('localhost', 'usher tests', key.public_key(), ca_key, False)
    pem = serialization.Encoding.PEM
    (folder / 'ca.pem').write_bytes(ca.public_bytes(pem))
    (folder / 'own.pem').write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + own.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'own.pem')
    return context


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--security', choices=['plain', 'starttls', 'tls'], default='plain')
    parser.add_argument('--login')
    asked = parser.parse_args()
    context = None if asked.security == 'plain' else certificate(asked.folder)
    handler = Handler(asked.folder)

    def authenticator(server, session, envelope, mechanism, data):
        presented = f'{data.login.decode()}:{data.password.decode()}'
        return AuthResult(success=presented == asked.login, auth_data=data.login)

    def session():
        return SMTP(
            handler,
            hostname='mail.test',
            enable_SMTPUTF8=True,
            tls_context=context if asked.security == 'starttls' else None,
            require_starttls=asked.security == 'starttls',
            auth_required=asked.login is not None,
            auth_require_tls=asked.security == 'starttls',
            authenticator=authenticator if asked.login else None,
        )

    loop = asyncio.get_running_loop()
    implicit = context if asked.security == 'tls' else None
    server = await loop.create_server(session, '127.0.0.1', 0, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# Clients that hang up, and logins that wait for no STARTTLS on a connection that is secret already, are what tests are about.
logging.disable(logging.CRITICAL)
warnings.simplefilter('ignore')
asyncio.run(main())
