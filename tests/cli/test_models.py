"""`sauropod pull`, `ls` and `rm`, with a hub on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

import gguf_files
from hub_server import Fault, HubServer, Repo
from sauropod.cli.ls import ago

NAME = "org/tiny-GGUF"
Q4, Q8 = gguf_files.model("q4", rows=80), gguf_files.model("q8", rows=160)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("sauropod.cli.machine.devices_of", lambda backend: [])
    with HubServer({NAME: Repo({"tiny-Q4_K_M.gguf": Q4, "tiny-Q8_0.gguf": Q8})}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
    huggingface_hub.close_session()


def names(call: Callable[..., Any]) -> list[str]:
    return [each["name"] for each in call("ls", "--json").data if each["name"] != "demo"]


def test_a_model_is_fetched_listed_and_removed(call: Callable[..., Any], hub: HubServer) -> None:
    pulled = call("pull", NAME)
    assert pulled.code == 0
    assert Path(pulled.out.strip()).read_bytes() == Q4
    assert f"{NAME}:Q4_K_M is here" in pulled.err
    assert f"sauropod chat {NAME}" in pulled.err
    assert names(call) == [f"{NAME}:Q4_K_M"]
    removed = call("rm", f"{NAME}:Q4_K_M")
    assert (removed.code, removed.err) == (0, "")
    assert removed.out.startswith(f"Removed {NAME}:Q4_K_M: ")
    assert removed.out.endswith("\n  tiny-Q4_K_M.gguf\n")
    assert names(call) == []


def test_pull_says_as_data_where_the_files_are(call: Callable[..., Any], hub: HubServer) -> None:
    data = call("pull", f"{NAME}:Q8_0", "--json").data
    assert (data["name"], data["bytes"]) == (f"{NAME}:Q8_0", len(Q8))
    assert [Path(each).read_bytes() for each in data["files"]] == [Q8]


def test_pull_looks_for_a_newer_version(call: Callable[..., Any], hub: HubServer) -> None:
    call("pull", f"{NAME}:Q8_0")
    newer = gguf_files.model("newer", rows=160)
    hub.repos[NAME].files["tiny-Q8_0.gguf"] = newer
    assert Path(call("pull", f"{NAME}:Q8_0").out.strip()).read_bytes() == newer


def test_a_hub_that_is_down_leaves_what_is_here_and_says_so(call: Callable[..., Any], hub: HubServer) -> None:
    call("pull", NAME)
    hub.faults.append(Fault("/api/", times=9, status=503))
    again = call("pull", NAME)
    assert again.code == 0
    assert f"Using the copy of {NAME} that is here" in again.err


def test_a_copy_that_is_here_does_not_hide_what_the_hub_refuses(
    call: Callable[..., Any], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("pull", NAME)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    again = call("pull", NAME)
    assert (again.code, again.out) == (3, "")
    assert "does not accept the token it was shown" in again.err


@pytest.mark.parametrize(
    ("name", "told"),
    [("org/tinny", "There is no repository org/tinny"), (f"{NAME}:Q9_0", "has no Q9_0 file. It has:")],
)
def test_what_the_hub_does_not_have_is_told(call: Callable[..., Any], hub: HubServer, name: str, told: str) -> None:
    refused = call("pull", name)
    assert (refused.code, refused.out) == (3, "")
    assert told in refused.err


def test_a_model_that_could_not_run_is_not_fetched(
    call: Callable[..., Any], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sauropod.backends.llama_cpp.LlamaCpp.supports", lambda self, architecture: False)
    refused = call("pull", NAME)
    assert refused.code == 3
    assert "does not know the architecture" in refused.err
    assert names(call) == []


def test_the_list_is_a_table(call: Callable[..., Any], hub: HubServer) -> None:
    call("pull", NAME)
    call("pull", f"{NAME}:Q8_0")
    lines = call("ls").out.splitlines()
    assert lines[0].split() == ["model", "quantisation", "size", "last", "used"]
    assert [f"{NAME}:Q8_0", "Q8_0"] in [line.split()[:2] for line in lines]
    assert all(line.endswith("within the hour") for line in lines if line.startswith(NAME))


def test_an_empty_machine_is_told_how_to_get_a_model(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sauropod._sources.installed", list)
    assert "sauropod pull " in call("ls").err


def test_one_that_cannot_be_removed_does_not_keep_the_others(call: Callable[..., Any], hub: HubServer) -> None:
    call("pull", NAME)
    removed = call("rm", "no/such", "demo", f"{NAME}")
    assert removed.code == 3
    assert removed.err.count("error: ") == 2
    assert "demo is not sauropod's to remove" in removed.err
    assert names(call) == []


def test_a_slip_in_a_name_to_be_removed_is_answered_with_what_is_here(call: Callable[..., Any], hub: HubServer) -> None:
    call("pull", NAME)
    assert f"Did you mean {NAME}:Q4_K_M?" in call("rm", "org/tinny-GGUF").err


@pytest.mark.parametrize("command", [["pull", NAME], ["run", NAME, "hello"]])
def test_ctrl_c_stops_a_download_that_hangs(terminal: Callable[..., Any], hub: HubServer, command: list[str]) -> None:
    hub.faults.append(Fault("/contents/", skip=1, times=9, stall=True))  # the first are asked for the header
    fetching = terminal(*command)
    fetching.expect("  0%|")
    fetching.type("\x03")
    assert fetching.exit_code() == 130
    assert "Traceback" not in fetching.text


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (timedelta(seconds=-3), "within the hour"),
        (timedelta(minutes=59), "within the hour"),
        (timedelta(minutes=61), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=20), "2 weeks ago"),
        (timedelta(days=70), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_times_are_told_in_their_largest_unit(since: timedelta, told: str) -> None:
    assert ago(since) == told
