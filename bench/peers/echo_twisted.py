"""echo on Twisted: echo_twisted.py HOST PORT."""

import sys

from twisted.internet import protocol, reactor


class Echo(protocol.Protocol):
    def connectionMade(self):
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data):
        self.transport.write(data)


reactor.listenTCP(int(sys.argv[2]), protocol.Factory.forProtocol(Echo), 4096, sys.argv[1])
reactor.run()
