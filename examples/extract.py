"""Text in, instances of a class out.

    python examples/extract.py
    python examples/extract.py ./model.gguf "Grace Hopper was born in 1906."

The class is a dataclass here; an attrs class, a TypedDict, a pydantic model or a plain type will do as well. The model
can write nothing else than its schema allows, so what comes back is always one of it, though it may be a wrong one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import sauropod
from sauropod.blocking import Engine


@dataclass
class Person:
    name: str
    age: int


TEXTS = ("Ada is 36 years old.", "Tom is 7 years old.")


def main(model: str, texts: list[str]) -> None:
    with Engine(model) as engine:
        for text in texts or TEXTS:
            prompt = f"Turn this into JSON: {text}"
            try:
                person = engine.complete(prompt, returns=Person, temperature=0, max_tokens=60)
                print(f"{text} → {person}")
            except sauropod.InvalidOutput as error:  # as when max_tokens was too few
                print(f"{text} → {error}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Text in, instances of a class out.")
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("texts", nargs="*")
    given = parser.parse_args()
    main(given.model, given.texts)
