"""For authors of backends and of applications: fakes as strict as the real thing, and synthetic models."""

from sauropod.testing.conformance import check_language_model
from sauropod.testing.fake import ContractViolation, FakeBackend, FakeLanguageModel, FakeOptions

__all__ = ["ContractViolation", "FakeBackend", "FakeLanguageModel", "FakeOptions", "check_language_model"]
