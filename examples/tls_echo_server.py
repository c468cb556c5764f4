"""A conversation that is encrypted half way through it: POP3's STLS, and then an echo.

Make a certificate, with its key in the same file:
    $ openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 30 \\
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout local.pem -out local.pem
Run `python examples/tls_echo_server.py local.pem`, with a port behind it if you like, and in
another terminal the command that it prints:
    > A secret.
    A secret.
"""

import sys

from weblayer import Factory, reactor
from weblayer.loop.ssl import CertificateOptions
from weblayer.protocols.basic import LineReceiver


class Echo(LineReceiver):
    def connectionMade(self):
        self.sendLine(b"+OK Say STLS.")

    def lineReceived(self, line):
        if self.transport.secure:
            self.sendLine(line)
        elif line == b"STLS":
            self.sendLine(b"+OK")
            self.setRawMode()
            self.transport.startTLS(options).addCallback(lambda _: self.setLineMode())

    def rawDataReceived(self, data):
        """Drop what came behind STLS: anybody on the way may have put it there."""


pem, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8000
options = CertificateOptions(pem)
port = reactor.listenTCP(port, Factory.forProtocol(Echo), interface="127.0.0.1").getHost().port
print(f"openssl s_client -quiet -crlf -starttls pop3 -CAfile {pem} -connect 127.0.0.1:{port}")
reactor.run()
