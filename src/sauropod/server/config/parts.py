"""The tables that stand once: who may come in, from where, how much is taken, and what is kept."""

from __future__ import annotations

import re
from typing import Any, Literal

import attrs

from sauropod.server.config.amounts import duration, size
from sauropod.server.config.errors import ConfigurationError, Fault
from sauropod.server.config.keys import key
from sauropod.server.config.kinds import listed, number, one_of, switch, text, whole

__all__ = ["Authentication", "Cors", "Limits", "Realtime", "Retention"]

MIB = 1024 * 1024

DATABASE_LATER = (
    'users and keys in a database come later. For now write keys into this configuration: type = "api_key" with keys '
    "or keys_file, or SAUROPOD_API_KEY in the environment"
)
NO_KEY = 'is "api_key", and there is no key. Give keys or keys_file, or set SAUROPOD_API_KEY'
KEYS_FOR_NONE = 'is "none", and yet there are keys. Leave type out, or the keys and SAUROPOD_API_KEY'


def _checked_key(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("a key is of letters, digits and signs of ASCII, without spaces")
    return value


def _checked_origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", value):
        raise ValueError("an origin ends after the host or port: no path, and no slash at the end")
    return value


KEY = attrs.evolve(text("an API key", empty=False, check=_checked_key), secret=True)
ORIGIN = text('"*" or an origin such as "https://app.example"', empty=False, check=_checked_origin)


@attrs.frozen(kw_only=True)
class Authentication:
    """Whether a key is asked for, and which there are. With `type` "api_key" there is at least one."""

    keys: tuple[str, ...] = key(
        listed(KEY), "the keys that open, each as `Authorization: Bearer KEY`; `SAUROPOD_API_KEY` adds one", default=()
    )
    keys_file: str | None = key(
        text("the path of a file", empty=False),
        "a file with more keys, one a line; empty lines and those that begin with `#` do not count",
        default=None,
    )
    type: Literal["none", "api_key"] = key(
        one_of("none", "api_key", later={"database": DATABASE_LATER}),
        "whether clients have to show an API key; with `none` any header is as good as none",
        default=attrs.Factory(lambda self: "api_key" if self.keys else "none", takes_self=True),
        says='`"api_key"` where keys are given',
    )

    def __attrs_post_init__(self) -> None:
        if (self.type == "api_key") != bool(self.keys):
            raise ConfigurationError([Fault(NO_KEY if self.type == "api_key" else KEYS_FOR_NONE, ("type",))])


@attrs.frozen(kw_only=True)
class Cors:
    """Which web pages of others may ask this server."""

    allow_origins: tuple[str, ...] = key(
        listed(ORIGIN), "sites whose pages may ask this server from a browser; `*` is any", default=()
    )
    allow_headers: tuple[str, ...] = key(
        listed(text("a header's name", empty=False)), "headers that these pages may send", default=("*",)
    )
    max_age: int = key(whole(0, 86400), "seconds for which browsers remember the answer", default=600)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of Starlette's `CORSMiddleware` that are for the user to choose."""
        return {"allow_origins": self.allow_origins, "allow_headers": self.allow_headers, "max_age": self.max_age}


@attrs.frozen(kw_only=True)
class Limits:
    """How much is taken, and how long is waited."""

    body_bytes: int = key(size(1024), "the largest body of a request", default=32 * MIB, says='`"32 MiB"`')
    upload_bytes: int = key(size(1024), "the largest file that is taken", default=512 * MIB, says='`"512 MiB"`')
    header_bytes: int = key(size(1024), "the most that a request's headers are", default=65536, says='`"64 KiB"`')
    maximum_waiting: int = key(
        whole(0), "requests that may wait for a slot of one model; one more is refused with 429", default=256
    )
    slow_client_seconds: float = key(
        number(0.1, 86400), "how long a client may take nothing of what it is sent", default=30.0
    )
    drain_seconds: float = key(
        number(0, 86400), "how long answers may take to end once the server is told to stop", default=30.0
    )


@attrs.frozen(kw_only=True)
class Realtime:
    """Live conversations."""

    record: str | None = key(
        text("the path of a directory", empty=False),
        "where each session of `/v1/realtime` writes down what happens in it, for `sauropod replay`",
        default=None,
    )
    record_audio: bool = key(switch(), "whether what is heard and said is written down too", default=False)


@attrs.frozen(kw_only=True)
class Retention:
    """How long stored responses are kept."""

    responses: float | None = key(
        duration(), "how long a stored response is kept", default=30 * 86400.0, says='`"30d"`'
    )
    maximum_responses: int | None = key(
        whole(1), "how many are kept at most; the oldest go first", default=None, says="any number"
    )

    @property
    def seconds(self) -> int | None:
        """Whole seconds for which responses are kept; None is for ever."""
        return None if self.responses is None else int(self.responses)
