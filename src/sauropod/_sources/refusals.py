"""What a hub answers when it does not give what was asked, as errors that say what to do next."""

from __future__ import annotations

import os
from collections.abc import Mapping

import attrs

from sauropod.errors import LoadError, ModelNotFound

__all__ = [
    "Busy",
    "Offline",
    "Request",
    "Unreachable",
    "is_number",
    "misconfigured",
    "no_hub",
    "offline",
    "refusal",
    "unreachable",
]

LONGEST_WAIT = 30.0
SETTINGS = (
    "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", "HTTP_PROXY", "HTTPS_PROXY",
    "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""What may be set so that nothing can be fetched, in capital letters or, as proxies often are, in small ones."""


@attrs.frozen
class Request:
    """What was asked, for messages."""

    repo: str
    revision: str
    endpoint: str
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.repo}/{self.file}" if self.file else self.repo

    @property
    def page(self) -> str:
        return f"{self.endpoint}/{self.repo}"


class Unreachable(ModelNotFound):
    """The hub cannot be asked just now: what is here will do."""


class Offline(Unreachable):
    """Nor is it to be."""


class Busy(Exception):
    """The hub asks to be asked again later, after `retry_after` seconds."""

    def __init__(self, status: int, retry_after: float) -> None:
        super().__init__(f"the hub answered {status}")
        self.retry_after = retry_after


def refusal(
    about: Request, status: int, headers: Mapping[str, str], had_token: bool, elsewhere: bool = False
) -> Exception:
    """The error for an answer of 400 or above: `Busy` if it is worth another attempt.

    `had_token`: a token was shown. `elsewhere`: the hub had sent us on to a server of content, whose links expire.
    """
    code, message = headers.get("x-error-code", ""), headers.get("x-error-message", "")
    if status in (408, 429) or status >= 500 or (elsewhere and not code):
        return Busy(status, _seconds(headers.get("retry-after", "")))
    if code == "GatedRepo":
        return _gated(about, had_token)
    if code == "RevisionNotFound":
        return ModelNotFound(
            f"{about.repo} has no branch, tag or commit {about.revision!r}. See {about.page}/tree/main for those it "
            f"has, write a slash in its name as %2F, or leave the revision out."
        )
    if code == "EntryNotFound" or (status == 404 and about.file):
        return ModelNotFound(
            f"{about.repo} has no file {about.file!r} at {about.revision}. See {about.page}/tree/main."
        )
    if status == 401 and "credentials" in message.lower():
        return ModelNotFound(
            f"{about.endpoint} does not accept the token it was shown: it is mistyped or has expired. Log in again "
            f"with `hf auth login`, or correct or unset HF_TOKEN."
        )
    if status in (401, 404) or code == "RepoNotFound":
        return _absent(about, had_token)
    if status == 403:
        return _forbidden(about, f" ({message})" if message else "", had_token)
    return ModelNotFound(
        f"{about.endpoint} answered {status} when asked for {about}{f': {message}' if message else ''}."
    )


def _gated(about: Request, had_token: bool) -> ModelNotFound:
    if had_token:
        then = "with the account whose token is in use, and wait until access is granted"
    else:
        then = "and log in with `hf auth login`, or set HF_TOKEN"
    return ModelNotFound(
        f"{about.repo} is only for those who accept its conditions. Accept them at {about.page} {then}."
    )


def _absent(about: Request, had_token: bool) -> ModelNotFound:
    if had_token:
        then = "if it is private, use a token whose account may read it"
    else:
        then = "if it is private, log in with `hf auth login`, or set HF_TOKEN"
    return ModelNotFound(f"There is no repository {about.repo} at {about.endpoint}. Check the name; {then}.")


def _forbidden(about: Request, message: str, had_token: bool) -> ModelNotFound:
    if not had_token:
        return ModelNotFound(
            f"{about.endpoint} gives {about} to nobody it does not know{message}. Log in with `hf auth login`, or set "
            f"HF_TOKEN."
        )
    return ModelNotFound(
        f"{about.endpoint} does not let the token in use read {about}{message}. Give the token read access at "
        f"{about.endpoint}/settings/tokens, or use another."
    )


def offline(about: Request) -> Offline:
    return Offline(
        f"{about} has not been downloaded yet, and HF_HUB_OFFLINE keeps it from being fetched. Unset HF_HUB_OFFLINE, "
        f"or name a model that is on this machine."
    )


def unreachable(about: Request, error: Exception) -> Unreachable:
    if isinstance(error, Busy):
        return Unreachable(f"{about.endpoint} could not give {about} just now: {error}. Try again in a while.")
    return Unreachable(
        f"{about} could not be fetched from {about.endpoint}: {str(error) or type(error).__name__}. Check the "
        f"connection (and HF_ENDPOINT, if it is set) and try again: what has arrived is kept, and models that are "
        f"already on this machine load without a network."
    )


def misconfigured(error: Exception, environment: Mapping[str, str] = os.environ) -> LoadError:
    """For what goes wrong before a connection is even tried."""
    known = [name for each in SETTINGS for name in (each, each.lower()) if environment.get(name)]
    suspects = f"Of those that may be wrong, these are set: {', '.join(known)}" if known else "None of the usual is set"
    return LoadError(
        f"Nothing can be fetched, because a setting is wrong: {str(error) or type(error).__name__}. {suspects}. "
        f"Correct or unset it."
    )


def no_hub(about: Request, why: str) -> ModelNotFound:
    return ModelNotFound(
        f"{about.endpoint} does not answer as a model hub does when asked for {about}: {why}. Check HF_ENDPOINT if it "
        f"is set, and whether a proxy or a login page is in between."
    )


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), LONGEST_WAIT) if is_number(retry_after.strip()) else 0.0


def is_number(text: str) -> bool:
    """Whether it is written in the digits 0 to 9, as headers and settings write numbers."""
    return text.isascii() and text.isdigit()
