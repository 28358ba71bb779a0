"""echo_asyncio on uvloop: echo_uvloop.py HOST PORT."""

import asyncio

import echo_asyncio
import uvloop

uvloop.install()
asyncio.run(echo_asyncio.main())
