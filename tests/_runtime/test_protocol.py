"""What is said between processes: what arrives, and what becomes of that which cannot."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import attrs
import pytest

from sauropod._runtime.protocol import Answer, Failed, Generate, Parcel, PromptText, pack
from sauropod._values.asking import ChatOptions
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority
from sauropod.errors import BackendCrashed, BackendError, PromptTooLong, QueueFull, SauropodError, UnsupportedInput


class TwoArguments(BackendError):
    """Pickles, and does not unpickle."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")


def generate(options: dict[str, Any]) -> Generate:
    return Generate(
        1, 1, PromptText(chat=ChatOptions(template_options=options)), SamplingParams(), Priority.NORMAL, False, (5,)
    )


@pytest.mark.parametrize(
    "error",
    [
        BackendError("no"),
        PromptTooLong(5, 4, exact=False),
        QueueFull(1, 2),
        BackendCrashed("gone", signal="SIGSEGV", output=("last words",), quarantined=True),
    ],
)
def test_our_errors_arrive_as_they_are(error: SauropodError) -> None:
    arrived = pickle.loads(pickle.dumps(Failed.of(error))).error
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_an_error_that_cannot_be_sent_arrives_as_one_that_can() -> None:
    locked = BackendError("held")
    locked.lock = threading.Lock()  # type: ignore[attr-defined]
    for error in (TwoArguments(5, "no"), locked):
        arrived = pickle.loads(pickle.dumps(Failed.of(error))).error
        assert type(arrived) is BackendError
        assert str(error) in str(arrived)


def test_an_answer_that_cannot_be_sent_fails_and_the_others_are_sent() -> None:
    arrived = pickle.loads(pack([(1, Answer("fine")), (2, Answer(threading.Lock()))]))
    assert arrived[0] == (1, Answer("fine"))
    id, failed = arrived[1]
    assert (id, type(failed.error)) == (2, BackendError)
    assert "cannot be sent" in str(failed.error)


def test_a_request_arrives_as_it_was_sent_and_with_what_it_has_said_since() -> None:
    request = generate({"a": 1})
    parcel = Parcel.of(request)
    assert parcel.open() == request
    assert attrs.evolve(parcel, generated=(6, 7)).open() == attrs.evolve(request, generated=(5, 6, 7))


def test_a_request_that_cannot_be_pickled_is_refused_where_it_is_made() -> None:
    with pytest.raises(UnsupportedInput, match="cannot be sent to the worker process"):
        Parcel.of(generate({"f": lambda: 1}))


def test_a_request_that_cannot_be_unpickled_is_refused_where_it_arrives() -> None:
    parcel = Parcel(1, pickle.dumps(TwoArguments(5, "no")))
    with pytest.raises(UnsupportedInput, match="cannot read the request"):
        parcel.open()
