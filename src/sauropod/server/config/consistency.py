"""What settings must not be together, and what they are told that somebody may not mean."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sauropod.server.config.errors import Fault

if TYPE_CHECKING:
    from sauropod.server.config.models import ModelSettings
    from sauropod.server.config.settings import Settings

__all__ = ["DEFAULT", "faults_of", "is_loopback", "notices_of"]

DEFAULT = "default"
"""This name always means the default model."""


def faults_of(settings: Settings) -> Iterator[Fault]:
    """What contradicts itself, or lets in who may not be meant."""
    if not is_loopback(settings.host) and settings.authentication.type == "none" and not settings.allow_public:
        yield Fault(
            f"is {settings.host!r}, which others can reach, and no API key is asked for. Give keys in [authentication] "
            "or SAUROPOD_API_KEY; or, if everybody who can reach it may use it, set allow_public = true",
            ("host",),
        )
    if not settings.models:
        yield Fault("names no model, and one is needed", ("models",))
    yield from _defaults(settings.models)
    yield from _names(settings.models)


def notices_of(settings: Settings) -> Iterator[str]:
    """What was asked for and is not done, and what may not be meant."""
    if settings.authentication.type == "api_key":
        return
    if "*" in settings.cors.allow_origins:
        yield 'Any web page may use this server: cors.allow_origins has "*", and no API key is asked for.'
    if not is_loopback(settings.host):
        yield f"Everybody who can reach {settings.host} may use this server: no API key is asked for."


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _defaults(models: Mapping[str, ModelSettings]) -> Iterator[Fault]:
    chosen = [name for name, model in models.items() if model.default]
    for name in chosen[1:]:
        yield Fault(f"is true, and so is that of {chosen[0]!r}. There is one default", ("models", name, "default"))


def _names(models: Mapping[str, ModelSettings]) -> Iterator[Fault]:
    """Clients are not held to the case of letters, so names are told apart without it."""
    taken: dict[str, str] = {}
    for name in models:
        other = taken.setdefault(name.casefold(), name)
        if other != name:
            yield Fault(f"differs from {other!r} in its case only. Rename one", ("models", name))
    for name, model in models.items():
        for alias in model.aliases:
            other = DEFAULT if alias.casefold() == DEFAULT else taken.setdefault(alias.casefold(), name)
            if other != name:
                yield Fault(f"has {alias!r}, which already means {other!r}", ("models", name, "aliases"))
