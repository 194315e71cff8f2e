"""Receives webhooks at a spare port of the loopback interface, verified by the published library.

    receiver.py SECRET-FILE MESSAGES-FILE REFUSALS

The secret is read anew for each message. The first REFUSALS messages are answered 500. What is verified is appended
to MESSAGES-FILE, one JSON object a line with the headers' id and the body; what is not is answered 400.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

secret_file, messages_file, refusals = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        global refusals
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if refusals > 0:
            refusals -= 1
            return self.answer(500)
        with open(secret_file) as secret:
            webhook = Webhook(secret.read().strip())
        try:
            webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError as error:
            print(error, file=sys.stderr)
            return self.answer(400)
        with open(messages_file, "a") as messages:
            messages.write(json.dumps({"id": self.headers["webhook-id"], "body": json.loads(body)}) + "\n")
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
