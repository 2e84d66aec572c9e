"""localstripe, a Stripe that others wrote, on a free port of 127.0.0.1 and with nothing on disk.

Its own command listens on every address and keeps all in one file in /tmp. Prints the port once it listens, and ends with
standard input, so that it never outlives whoever started it.
"""

import asyncio
import sys

from aiohttp import web
from localstripe import server
from localstripe.resources import Store


async def main():
    Store.dump_to_disk = lambda _: None
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


asyncio.run(main())
