"""Settings: everything the server can be told."""

# ruff: noqa: RUF009 (a key is attrs' own field)

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from sauropod import Engine
from sauropod.server.config.consistency import DEFAULT, faults_of, notices_of
from sauropod.server.config.errors import ConfigurationError, Path
from sauropod.server.config.keys import Table, Tables, key
from sauropod.server.config.kinds import listed, switch, text, whole
from sauropod.server.config.models import ModelSettings
from sauropod.server.config.naming import Source
from sauropod.server.config.parts import Authentication, Cors, Limits, Realtime, Retention
from sauropod.server.config.places import default_database
from sauropod.server.config.showing import hidden_password, lines, toml
from sauropod.server.config.speech import DETECTOR, HEARING, HearingSettings, VoiceSettings

if TYPE_CHECKING:
    from sauropod import Transcriber, Voice, VoiceDetector

__all__ = ["Settings"]

DEMO = "demo"


def _checked_database(value: str) -> str:
    scheme, found, _ = value.partition("://")
    if scheme == "postgres":
        raise ValueError("SQLAlchemy calls it postgresql://")
    if found and scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise ValueError(f"{scheme} is neither sqlite nor postgresql")
    return value


def _checked_host(value: str) -> str:
    if not re.fullmatch(r"[\w.:%-]+", value):
        raise ValueError('without a port or path; "0.0.0.0" is any address of this machine')
    return value.lower()


def _checked_root(value: str) -> str:
    if value.strip("/") and not re.fullmatch(r"/[^\s?#]*", value):
        raise ValueError
    return value.rstrip("/")


def _lower(value: str) -> str:
    return value.strip().lower()


def _refused(value: str) -> str:
    if value:
        raise ValueError
    return value


def _check_name(name: str) -> None:
    if not name.strip() or name.casefold() == DEFAULT or not name.isprintable():
        raise ValueError(f"has the name {name!r}, which is empty, not printable, or means the default already")


MODELS = Tables(ModelSettings, "model", lambda name: {"model": name}, _check_name)
VOICES = Tables(VoiceSettings, "model", lambda name: {"model": DEMO} if name == DEMO else {}, _check_name)


@attrs.frozen(kw_only=True)
class Settings:
    """What a server is told. Without any arguments: the demo models, for this machine alone.

    `Settings.load()` reads them as `sauropod serve` does. Whatever cannot be meant raises `ConfigurationError`.
    """

    verbose: bool = key(switch(), "say more in the log: each request, and what models do", default=False)
    database: str = key(
        text("a path, or a URL such as sqlite:///… or postgresql://…", empty=False, check=_checked_database),
        "where responses, conversations and files are kept: a file, or a URL as SQLAlchemy has it",
        factory=lambda: default_database(os.environ),
        aliases=("database_path",),
        says="`sauropod.db` among [your data](#where-files-are)",
        show=lambda value: repr(hidden_password(value)),
    )
    host: str = key(
        text("a host's name or address", empty=False, check=_checked_host), "where to listen", default="127.0.0.1"
    )
    port: int = key(whole(0, 65535), "the port; `0` is any that is free", default=8080)
    root_path: str = key(
        text('a path that begins with "/"', check=_checked_root), "where a proxy shows the server", default=""
    )
    allow_public: bool = key(switch(), "serve others than this machine without asking for a key", default=False)
    allowed_hosts: tuple[str, ...] = key(
        listed(text("a host's name", empty=False, check=_lower)),
        "names, besides its own, by which the server may be called; `*` is any",
        default=(),
    )
    allow_remote_urls: bool = key(switch(), "fetch what clients name by its address on the web", default=False)
    models: Mapping[str, ModelSettings] = key(
        MODELS, "the models by name", factory=lambda: {DEMO: ModelSettings(model=DEMO)}, says="the model `demo`"
    )
    voices: Mapping[str, VoiceSettings] = key(
        VOICES, "the voices by name", factory=lambda: {DEMO: VoiceSettings(model=DEMO)}, says="the voice `demo`"
    )
    stt_model: HearingSettings | None = key(
        HEARING,
        'the model that hears: a name, or [a table](#the-model-that-hears); `""` is none',
        default=HearingSettings(model=DEMO),
        says='`"demo"`',
    )
    vad_model: Source | None = key(
        DETECTOR,
        'the model that tells speech from all else; `""` is none',
        default="auto",
        says='`"auto"`: the demo\'s for the demo, else MarbleNet',
    )
    turn_detector_model: Source | None = key(
        DETECTOR,
        "the model that tells from the sound whether somebody has finished, such as `pipecat-ai/smart-turn-v3`, for "
        'sessions with `semantic_vad`; `""` is none',
        default=None,
        says="none: their words tell",
    )
    authentication: Authentication = key(Table(Authentication), "who may come in", factory=Authentication)
    cors: Cors = key(Table(Cors), "which web pages may ask", factory=Cors)
    limits: Limits = key(Table(Limits), "how much is taken", factory=Limits)
    realtime: Realtime = key(Table(Realtime), "live conversations", factory=Realtime)
    retention: Retention = key(Table(Retention), "how long things are kept", factory=Retention)
    trace_output: str | None = key(
        text("left out: traces come later, and nothing would be written", check=_refused),
        "reserved for traces, which come later; refused until then",
        default=None,
    )
    origins: Mapping[Path, str] = attrs.field(factory=dict, eq=False, repr=False)
    """Where each key was set, for those that were."""

    def __attrs_post_init__(self) -> None:
        if faults := list(faults_of(self)):
            raise ConfigurationError(faults)

    @classmethod
    def load(
        cls,
        config_file: str | os.PathLike[str] | None = None,
        *,
        set: Iterable[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """What the file, the environment and `set` (`"models.llama.temperature=0.2"`) come to, the last one first.

        Without `config_file` it is the one that `SAUROPOD_CONFIG_FILE` names, or the first at the platform's places; of
        these there need not be any. Raises `ConfigurationError` with all faults at once.
        """
        from sauropod.server.config.flags import assignment
        from sauropod.server.config.loading import load

        return load(config_file, [assignment(each) for each in set], os.environ if environ is None else environ)

    def engine(self, name: str) -> Engine:
        """The model of that name, not opened yet."""
        return self.models[name].engine(self.limits.maximum_waiting)

    def voice(self, name: str) -> Voice:
        """The voice of that name, not opened yet."""
        from sauropod import Voice

        return Voice(self.voices[name].source, **self.voices[name].voice_options())

    def transcriber(self) -> Transcriber | None:
        """What hears, not opened yet; None if nothing is to."""
        from sauropod import Transcriber

        hearing = self.stt_model
        if hearing is None:
            return None
        options: dict[str, Any] = hearing.transcriber_options()
        if hearing.source is not None:
            options["source"] = hearing.source
        return Transcriber(vad=self.vad_model, turn_detector=self.turn_detector_model, **options)

    def detector(self) -> VoiceDetector | None:
        """What tells speech from all else, not opened yet; None if nothing is to."""
        from sauropod import VoiceDetector

        if self.vad_model is None:
            return None
        if self.vad_model != "auto":
            return VoiceDetector(self.vad_model)
        demo = self.stt_model is not None and self.stt_model.source == DEMO
        return VoiceDetector(DEMO) if demo else VoiceDetector()

    def told(self) -> list[str]:
        """What the log says at the start, a line each: no secret is in it."""
        return [*lines(self), *notices_of(self)]

    def shown(self) -> str:
        """The settings in effect as TOML, with where each was set. Secrets are masked."""
        return toml(self)
