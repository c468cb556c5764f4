"""Twisted Web on its default reactor, epoll: a File."""

from twisted.internet import reactor, ssl
from twisted.web.static import File

from tests.benchmarks.servers import HOST, own_port
from tests.benchmarks.servers.files import CERTIFICATE, FOLDER
from tests.benchmarks.servers.twisted import QuietSite

if __name__ == "__main__":
    site = QuietSite(File(FOLDER))
    if CERTIFICATE:
        options = ssl.DefaultOpenSSLContextFactory(CERTIFICATE, CERTIFICATE)
        reactor.listenSSL(own_port(), site, options, backlog=1024, interface=HOST)
    else:
        reactor.listenTCP(own_port(), site, backlog=1024, interface=HOST)
    reactor.run()
