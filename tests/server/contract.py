"""Serve the demo models, and let schemathesis send whatever the OpenAPI document allows, and what it does not.

    python tests/server/contract.py [--max-examples 25]

Its arguments go to schemathesis. It ends with schemathesis' exit code: 1 if any answer was a 5xx.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CHECKS = ("--checks", "not_a_server_error", "--mode", "all", "--suppress-health-check", "all")
READY = re.compile(r"http://127\.0\.0\.1:\d+")


def main(arguments: Sequence[str]) -> int:
    serve = [sys.executable, "-m", "sauropod", "serve", "--port", "0", "--database", ":memory:"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            url = next(found[0] for line in server.stderr if (found := READY.search(line)))
            wanted = ["--max-examples", "25"] if "--max-examples" not in arguments else []
            command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json"]
            return subprocess.run([*command, *CHECKS, *wanted, *arguments], check=False).returncode
        finally:
            server.terminate()
            server.stderr.read()  # until it has ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
