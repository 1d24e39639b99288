"""From tables to settings, whatever is in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.config import ConfigurationError, HearingSettings, ModelSettings, Settings, VoiceSettings
from sauropod.server.config.keys import keys_of
from sauropod.server.config.reading import read_table, written

PARTS = (Settings, ModelSettings, VoiceSettings, HearingSettings)
NAMES = sorted(
    {name for part in PARTS for name in keys_of(part)} | {"repo", "path", "file", "llama", "Llama", "default"}
)

values = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["demo", "org/repo", "none", "api_key", "kokoro", "voxtral", "0.0.0.0", "10m", "*", "/v1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
def test_any_table_is_settings_or_a_configuration_error(table: dict[str, Any]) -> None:
    try:
        found = read_table(Settings, table)
    except ConfigurationError:
        return
    assert read_table(Settings, written(found)) == found


@given(st.lists(st.sampled_from(["port", "host", "root_path", "verbose", "limits", "models"]), unique=True, min_size=1))
def test_as_many_faults_are_told_as_there_are(names: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_table(Settings, dict.fromkeys(names, 0.5))
    assert sorted(fault.path[0] for fault in caught.value.faults) == sorted(names)
