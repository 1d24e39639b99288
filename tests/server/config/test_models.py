"""What becomes of a model's settings."""

from __future__ import annotations

import inspect

import attrs
import pytest

from sauropod import Engine, Transcriber, Voice, VoiceDetector
from sauropod.server.config import ConfigurationError, ModelSettings, Settings
from sauropod.server.config.models import ENGINE, SAMPLING
from server.config.asking import faults, settings

pytestmark = pytest.mark.anyio


def test_every_option_of_an_engine_is_a_key() -> None:
    options = inspect.signature(Engine).parameters.keys()
    elsewhere = {"source", "worker", "sampling", "max_waiting", "projector", "progress"}  # under other names
    assert set(ENGINE) == options - elsewhere
    names = {field.name for field in attrs.fields(ModelSettings)}
    assert set(ENGINE) | set(SAMPLING) <= names


def test_what_is_not_set_is_left_to_the_engine() -> None:
    options = ModelSettings(model="demo").engine_options()
    assert options.keys() == {"sampling"}
    assert repr(options["sampling"]) == "SamplingParams()"


def test_what_is_set_reaches_the_engine() -> None:
    model = settings(
        '[models.a]\nmodel = "org/a"\ntemperature = 0\ngpu_layers = 0\nsnapshot_bytes = 0\nflash_attention = false\n'
        'maximum_tokens = 9\nsystem_prompt = ""\ndevice = "cpu"\nkeep_alive = "1h"\n[limits]\nmaximum_waiting = 3'
    ).models["a"]
    options = model.engine_options(3)
    sampling = options.pop("sampling")
    assert (sampling.temperature, sampling.max_tokens) == (0, 9)
    assert options == {
        "gpu_layers": 0,
        "snapshot_bytes": 0,
        "flash_attention": False,
        "system_prompt": "",
        "device": "cpu",
        "max_waiting": 3,
    }
    assert model.keep_alive == 3600


async def test_an_engine_opens_as_it_was_configured() -> None:
    toml = '[models.small]\nmodel = "fake:"\nisolation = "thread"\ncontext_length = 64\ntemperature = 0.25'
    found = settings(toml + '\n[models.small.options]\nsays = {Hello = "Hi."}\ncontext_length = 64')
    async with found.engine("small") as engine:
        assert (await engine.complete("Hello")).text == "Hi."
        assert engine.info.context_length == 64


def test_a_name_means_one_model() -> None:
    toml = "[models.a]\naliases = ['B', 'Default']\ndefault = true\n[models.b]\ndefault = true\n[models.A]\n"
    assert [each.partition(": ")[2] for each in faults(toml)] == [
        "models.b.default is true, and so is that of 'a'. There is one default.",
        "models.A differs from 'a' in its case only. Rename one.",
        "models.a.aliases has 'B', which already means 'b'.",
        "models.a.aliases has 'Default', which already means 'default'.",
    ]


def test_made_by_hand_they_are_checked_as_well() -> None:
    with pytest.raises(ConfigurationError, match=r"^port must be a whole number from 0 to 65535; got 70000\.$"):
        Settings(port=70000)
    with pytest.raises(ConfigurationError, match=r"^models must be a mapping of names to ModelSettings"):
        Settings(models={"a": "demo"})  # type: ignore[dict-item]
    with pytest.raises(ConfigurationError, match=r"^models names no model"):
        Settings(models={})
    with pytest.raises(ConfigurationError, match=r"^host is '0.0.0.0'"):
        Settings(host="0.0.0.0")


def test_secrets_are_not_in_a_repr() -> None:
    toml = "[authentication]\nkeys = ['hush']\n[models.a.options]\napi_key = 'hush'"
    found = settings(f"database = 'postgresql://me:hush@h/b'\n{toml}")
    assert "hush" not in repr(found)


def test_voices() -> None:
    toml = '[voices.warm]\nvoice = "a:0.5+b:0.5"\nspeed = 1.5\n[voices.deep]\ntype = "orpheus"\n[voices.demo]'
    voices = settings(toml).voices
    assert voices["warm"].voice_options() == {"voice": "a:0.5+b:0.5", "speed": 1.5}
    assert [voice.source for voice in voices.values()] == [
        "onnx-community/Kokoro-82M-v1.0-ONNX",
        "orpheus:unsloth/orpheus-3b-0.1-ft-GGUF:Q4_K_M",
        "demo",
    ]
    table = '[voices.a]\ntype = "orpheus"\nmodel = {repo = "a/b", quantization = "Q8_0"}'
    assert settings(table).voices["a"].source == "orpheus:hf:a/b:Q8_0"
    assert all(isinstance(settings(toml).voice(name), Voice) for name in voices)


@pytest.mark.parametrize(
    ("toml", "source"),
    [
        ("stt_model = 'org/ears'", "org/ears"),
        ("stt_model = {repo = 'org/ears', quantization = 'int8'}", {"repo": "org/ears", "quantization": "int8"}),
        ("stt_model = {model = 'org/ears', language = 'de'}", "org/ears"),
        ("[stt_model]\ntype = 'voxtral'", "voxtral:ggml-org/Voxtral-Mini-3B-2507-GGUF"),
        ("stt_model = {type = 'voxtral', repo = 'a/b', quantization = 'Q8_0'}", "voxtral:hf:a/b:Q8_0"),
        ("stt_model = {type = 'parakeet'}", None),
    ],
)
def test_ears(toml: str, source: object) -> None:
    found = settings(toml).stt_model
    assert found is not None
    assert found.source == source


def test_ears_are_named_once() -> None:
    (found,) = faults("stt_model = {model = 'a', repo = 'b/c'}")
    assert "stt_model.model is given, and so is 'repo'" in found


def test_what_hears_is_made_as_configured() -> None:
    assert isinstance(settings().transcriber(), Transcriber)
    assert isinstance(settings("stt_model = {type = 'parakeet', language = 'de'}").transcriber(), Transcriber)
    assert isinstance(settings().detector(), VoiceDetector)
    assert isinstance(settings("vad_model = 'org/vad'").detector(), VoiceDetector)
    listening = settings("turn_detector_model = 'org/turns'").transcriber()
    assert listening is not None
    assert listening._turns is not None
    assert listening._turns.source == "org/turns"
    nothing = settings("stt_model = ''\nvad_model = ''\nturn_detector_model = ''")
    assert (nothing.transcriber(), nothing.detector()) == (None, None)


def test_a_projector_is_handed_on() -> None:
    projector = {"repo": "a/b", "file": "mmproj-F16.gguf"}
    found = settings(
        "stt_model = {type = 'voxtral', multimodal_projector = {repo = 'a/b', file = 'mmproj-F16.gguf'}}\n"
        "[models.a]\nmultimodal_projector = 'mmproj.gguf'"
    )
    assert found.stt_model is not None
    assert found.stt_model.transcriber_options() == {"projector": projector}
    assert isinstance(found.transcriber(), Transcriber)
    assert found.models["a"].engine_options()["projector"] == "mmproj.gguf"
    assert "projector" not in settings("[models.a]").models["a"].engine_options()
