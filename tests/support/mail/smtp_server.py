"""A mail server for the tests. It prints its port, and each mail that it has accepted as a line of JSON.

Usage: smtp_server.py SETTINGS, where SETTINGS is JSON: `port`, `tls` (none, starttls, tls), `certificate` and `key` (files),
`user` and `password`, and `control`, a file that is read again at each step: JSON with the answers to steps (`mail`, `rcpt`,
`data`) or to recipients by their address, and with `slow`, seconds before the answer to a mail.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Handler:
    def __init__(self, settings):
        self.settings = settings

    def answer(self, step):
        with open(self.settings["control"], encoding="utf-8") as control:
            return json.load(control).get(step)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if refusal := self.answer("mail"):
            return refusal
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if refusal := self.answer("rcpt") or self.answer(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if slow := self.answer("slow"):
            print(json.dumps({"received": envelope.rcpt_tos}), flush=True)
            await asyncio.sleep(slow)
        if refusal := self.answer("data"):
            return refusal
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        accepted = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "raw": envelope.content.decode("utf-8", "replace"),
            "text": parts.get("text/plain", ""),
            "html": parts.get("text/html", ""),
            "types": [part.get_content_type() for part in message.walk()],
            "encrypted": session.ssl is not None or self.settings["tls"] == "tls",
            "authenticated": bool(session.authenticated),
        }
        print(json.dumps(accepted), flush=True)
        return "250 2.0.0 OK"


async def main(settings):
    handler = Handler(settings)
    context = None
    if settings["tls"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings["certificate"], settings["key"])

    def authenticate(server, session, envelope, mechanism, data):
        right = LoginPassword(settings["user"].encode(), settings["password"].encode())
        return AuthResult(success=data == right, handled=False)

    def connection():
        options = {"hostname": "mail.test", "enable_SMTPUTF8": True, "loop": asyncio.get_running_loop()}
        if settings["tls"] == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if settings.get("user"):
            options |= {"authenticator": authenticate, "auth_required": True}
            options |= {"auth_require_tls": settings["tls"] == "starttls"}
        return SMTP(handler, **options)

    loop = asyncio.get_running_loop()
    at_once = context if settings["tls"] == "tls" else None
    server = await loop.create_server(connection, "127.0.0.1", settings["port"], ssl=at_once)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(json.loads(sys.argv[1])))
