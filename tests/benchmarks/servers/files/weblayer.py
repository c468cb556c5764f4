"""weblayer: a File."""

from tests.benchmarks.servers import HOST, own_port
from tests.benchmarks.servers.files import CERTIFICATE, FOLDER
from weblayer import File, Site, reactor
from weblayer.loop.ssl import CertificateOptions

if __name__ == "__main__":
    site = Site(File(FOLDER))
    if CERTIFICATE:
        reactor.listenSSL(own_port(), site, CertificateOptions(CERTIFICATE), interface=HOST)
    else:
        reactor.listenTCP(own_port(), site, interface=HOST)
    reactor.run()
