"""A consumer inside a plain asyncio program: ``python in_asyncio.py Ada``."""

from __future__ import annotations

import asyncio
import sys

from tasks import greet, huey, shout


async def main(name: str) -> None:
    async with huey, huey.create_consumer(workers=20, threads=4):
        soft, loud = await greet(name), await shout(name)
        print(await soft)
        print(await loud)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
