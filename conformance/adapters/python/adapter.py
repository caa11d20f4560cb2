#!/usr/bin/env python3
"""An example adapter: connects a small implementation to the Kith suite.

    adapter.py              speaks over standard input and output
    adapter.py --tcp PORT   waits on 127.0.0.1, for use under a debugger

The guide is conformance/adapter/GUIDE.md; what this example does and doesn't do
stands in README.md beside this file.
"""

import argparse
import socket
import sys

import rpc
from agent import Agent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tcp", type=int, metavar="PORT", help="wait on 127.0.0.1:PORT")
    port = parser.parse_args().tcp
    if port is None:
        serve(sys.stdin.buffer, sys.stdout.buffer)
        return
    with socket.create_server(("127.0.0.1", port)) as server:
        print(f"waiting on port {port}", file=sys.stderr)
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile("rwb") as stream:
                serve(stream, stream)


def serve(reader, writer):
    """Speaks until `bye` or the end, and leaves no key agent behind."""
    agent = Agent()
    try:
        rpc.serve(reader, writer, agent.methods)
    finally:
        agent.bye({})


if __name__ == "__main__":
    main()
