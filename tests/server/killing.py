"""Kill a server in the middle of its work, again and again, and see what became of what it had acknowledged.

python tests/server/killing.py --kills 200
python tests/server/killing.py --kills 200 --postgres
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx

__all__ = ["Report", "kill_often"]

CLIENTS = 8
FINAL = ("completed", "incomplete", "failed", "cancelled")


@attrs.define
class Report:
    """What was seen."""

    kills: int = 0
    answered: int = 0
    """Responses whose end a client was told of."""
    begun: int = 0
    """Responses of which a client was told that they exist, and no more."""
    added: int = 0
    """Items that a client was told are in a conversation."""
    found: Counter[str] = attrs.field(factory=Counter)
    """Those begun, by how they were found afterwards."""
    wrong: list[str] = attrs.field(factory=list)
    """What was lost, or is not as it was told."""


@attrs.define
class Told:
    """What clients of one life of the server were told."""

    answers: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    begun: set[str] = attrs.field(factory=set)
    items: list[tuple[str, str]] = attrs.field(factory=list)


def kill_often(database: str, kills: int, seed: int = 0) -> Report:
    """Needs the fake backend, and one or two seconds for each."""
    chance, report = random.Random(seed), Report()
    told = Told()
    for _ in range(kills):
        server, url = start(database)
        try:
            anyio.run(check, url, told, report)
            told = Told()
            anyio.run(load, url, told, chance, server)
        finally:
            server.kill()
            server.communicate()
        report.kills += 1
    server, url = start(database)
    try:
        anyio.run(check, url, told, report)
    finally:
        server.terminate()
        server.communicate(timeout=60)
    if server.returncode != 0:
        report.wrong.append(f"the last server ended with {server.returncode}")
    if "://" not in database:
        report.wrong += sound(database)
    return report


def start(database: str) -> tuple[subprocess.Popen[str], str]:
    model = ["--set", "models.m.model=fake:x", "--set", "models.m.options={seconds_per_token=0.002, eos_rate=0.01}"]
    command = [sys.executable, "-m", "sauropod", "serve", "--port", "0", "--database", database, *model]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SAUROPOD_")}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    lines = []
    for line in server.stderr:
        lines.append(line)
        if ready := re.search(r"Ready .*?(http://127\.0\.0\.1:\d+)", line):
            return server, ready[1]
    server.wait()
    raise RuntimeError("".join(lines))


async def load(url: str, told: Told, chance: random.Random, server: subprocess.Popen[str]) -> None:
    """Many ask many things, until the server is gone."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        await client.post("/v1/responses", json={"input": "x", "max_output_tokens": 1, "store": False})
        async with anyio.create_task_group() as tasks:
            for number in range(CLIENTS):
                tasks.start_soon(ask_on, client, told, random.Random(chance.random()), number)
            await anyio.sleep(chance.uniform(0.02, 0.7))
            server.kill()


async def ask_on(client: httpx.AsyncClient, told: Told, chance: random.Random, number: int) -> None:
    ways = (whole, streamed, streamed, conversing) if number else (conversing,)
    try:
        while True:
            await chance.choice(ways)(client, told, chance.randint(1, 60))
    except httpx.TransportError:
        pass


async def whole(client: httpx.AsyncClient, told: Told, tokens: int) -> None:
    body = {"input": "x" * tokens, "max_output_tokens": tokens, "background": tokens % 5 == 0}
    answer = (await client.post("/v1/responses", json=body)).json()
    if answer["status"] in FINAL:
        told.answers[answer["id"]] = answer
    else:
        told.begun.add(answer["id"])


async def streamed(client: httpx.AsyncClient, told: Told, tokens: int) -> None:
    body = {"input": "x" * tokens, "max_output_tokens": tokens, "stream": True}
    async with client.stream("POST", "/v1/responses", json=body) as stream:
        async for line in stream.aiter_lines():
            if not line.startswith("data: "):
                continue
            event = json.loads(line.removeprefix("data: "))
            if event["type"] == "response.created":
                told.begun.add(event["response"]["id"])
            elif event["type"].removeprefix("response.") in FINAL:
                told.answers[event["response"]["id"]] = event["response"]
                told.begun.discard(event["response"]["id"])


async def conversing(client: httpx.AsyncClient, told: Told, tokens: int) -> None:
    name = (await client.post("/v1/conversations", json={"metadata": {"n": str(tokens)}})).json()["id"]
    for _ in range(3):
        items = [{"role": "user", "content": "x" * tokens}]
        added = (await client.post(f"/v1/conversations/{name}/items", json={"items": items})).json()
        told.items += [(name, item["id"]) for item in added["data"]]
    body = {"input": "x", "max_output_tokens": 5, "conversation": name}
    answer = (await client.post("/v1/responses", json=body)).json()
    told.answers[answer["id"]] = answer
    told.items += [(name, item["id"]) for item in answer["output"]]


async def check(url: str, told: Told, report: Report) -> None:
    """Is it all there?"""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for name, answer in told.answers.items():
            report.answered += 1
            found = await client.get(f"/v1/responses/{name}")
            if found.status_code != 200 or found.json() != answer:
                report.wrong.append(f"{name} was answered, and is {found.text[:300]}")
        for name in told.begun:
            report.begun += 1
            found = await client.get(f"/v1/responses/{name}")
            status = found.json().get("status", "lost")
            report.found[status] += 1
            if status == "lost" or not await ends(client, name):
                report.wrong.append(f"{name} was begun, and is {status}")
        for name, item in told.items:
            report.added += 1
            if (await client.get(f"/v1/conversations/{name}/items/{item}")).status_code != 200:
                report.wrong.append(f"{item} was added to {name}, and is not there")


async def ends(client: httpx.AsyncClient, name: str) -> bool:
    with anyio.move_on_after(60):
        while (await client.get(f"/v1/responses/{name}")).json()["status"] not in FINAL:
            await anyio.sleep(0.05)
        return True
    return False


def sound(path: str) -> list[str]:
    """What SQLite finds wrong with it."""
    database = sqlite3.connect(path)
    wrong = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
    wrong += [f"no parent: {row}" for row in database.execute("PRAGMA foreign_key_check")]
    database.close()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgres", action="store_true", help="in a Postgres that is started for it")
    asked = parser.parse_args()
    with ExitStack() as stack:
        if asked.postgres:
            sys.path.insert(0, str(Path(__file__).parent.parent))
            from server.store.databases import postgres

            database = stack.enter_context(postgres(durable=True)).new()
        else:
            database = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "sauropod.db")
        report = kill_often(database, asked.kills, asked.seed)
    print(json.dumps(attrs.asdict(report), indent=2))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
