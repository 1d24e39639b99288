"""A model that calls Python functions until it can answer.

    python examples/tools.py
    python examples/tools.py ./model.gguf "Set a timer of ten minutes for the tea."

A function with annotations and a docstring is a tool. What it returns, or raises, is told to the model. Setting a timer
changes something, so the user is asked first.
"""

from __future__ import annotations

import argparse
from typing import Literal

import anyio
import anyio.to_thread

import sauropod
from sauropod import RoundFinished, TextDelta, ToolCall, ToolFinished, ToolStarted

WEATHER = {"Oslo": (4, "rain"), "Paris": (18, "sun"), "Nairobi": (25, "clouds")}


async def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> dict[str, object]:
    """Get the weather in a city.

    Args:
        city: The city.
        unit: The unit of temperature.
    """
    await anyio.sleep(0.01)  # where a real one would ask somebody
    if city not in WEATHER:
        raise LookupError(f"There is no weather for {city}; there is some for {', '.join(WEATHER)}.")
    degrees, sky = WEATHER[city]
    return {"temperature": degrees if unit == "celsius" else degrees * 9 / 5 + 32, "sky": sky}


def set_timer(minutes: int, label: str = "") -> str:
    """Set a timer for some minutes.

    Args:
        minutes: How many minutes.
        label: What the timer is for.
    """
    return f"The timer{f' for {label}' if label else ''} runs for {minutes} minutes."


async def approve(call: ToolCall) -> bool | str:
    """Ask the user about what changes something."""
    if call.name != "set_timer":
        return True
    shown = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    try:
        answer = await anyio.to_thread.run_sync(input, f"May it call {call.name}({shown})? [Y/n] ")
    except EOFError:
        return "nobody is there to be asked"
    return answer.strip().lower() in ("", "y", "yes")


async def main(model: str, question: str) -> None:
    async with sauropod.Engine(model) as engine:
        run = engine.run(question, tools=[get_weather, set_timer], approve=approve, max_rounds=4, timeout=120)
        async with run:
            async for event in run:
                match event:
                    case TextDelta(text=text):
                        print(text, end="", flush=True)
                    case ToolStarted(call=call):
                        print(f"→ {call.name} {dict(call.arguments)}")
                    case ToolFinished(content=content, error=error):
                        print(f"← {content}" if error is None else f"← {error!r}")
                    case RoundFinished(completion=completion) if completion.text:
                        print()
        used = run.result.usage
        print(f"({len(run.result.completions)} rounds, {used.prompt_tokens} + {used.completion_tokens} tokens)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A model that calls Python functions until it can answer.")
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("question", nargs="?", default="What is the weather in Paris?")
    given = parser.parse_args()
    anyio.run(main, given.model, given.question)
