"""echo on asyncio's protocols: echo_asyncio.py HOST PORT."""

import asyncio
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, sys.argv[1], int(sys.argv[2]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
