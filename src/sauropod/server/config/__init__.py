"""What the server is told: a TOML file, `SAUROPOD_…` in the environment, and flags; frozen values come out.

Parts are pure, but for `places`, which looks at files:

    settings, models, speech, parts   the values, each field a key (keys) of some kind (kinds, amounts, naming)
    layers     what one source says, by full names        environment, flags   texts into such layers
    reading    names and values -> Settings, or all faults (errors) at once
    loading    all sources, one over the other            showing   back into TOML, secrets masked
"""

from __future__ import annotations

from sauropod.server.config.errors import ConfigurationError, Fault
from sauropod.server.config.flags import add_flags, settings_of
from sauropod.server.config.models import ModelSettings
from sauropod.server.config.parts import Authentication, Cors, Limits, Realtime, Retention
from sauropod.server.config.settings import Settings
from sauropod.server.config.speech import HearingSettings, VoiceSettings

__all__ = [
    "Authentication",
    "ConfigurationError",
    "Cors",
    "Fault",
    "HearingSettings",
    "Limits",
    "ModelSettings",
    "Realtime",
    "Retention",
    "Settings",
    "VoiceSettings",
    "add_flags",
    "settings_of",
]
