# SPDX-License-Identifier: ISC
"""slow.py SOCKET MS - an asynchronous server that gives each request back what
was sent, after a random time up to MS. It reads on meanwhile, and whichever
answer is ready first goes out first, also on one connection: whoever sends a
second request before the first one's answer gets answers in the wrong order."""
import asyncio
import random
import sys


async def answer(writer, body):
    await asyncio.sleep(random.random() * float(sys.argv[2]) / 1000)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                 b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


async def serve(reader, writer):
    tasks = set()
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = await reader.readexactly(length) or head
            task = asyncio.create_task(answer(writer, body))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        for task in tasks:
            task.cancel()
        writer.close()


async def main():
    server = await asyncio.start_unix_server(serve, sys.argv[1], backlog=1024)
    await server.serve_forever()


asyncio.run(main())
