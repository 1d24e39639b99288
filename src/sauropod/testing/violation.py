"""What is raised when somebody does not keep a contract."""

from __future__ import annotations

__all__ = ["ContractViolation", "require"]


class ContractViolation(AssertionError):
    """The model was used in a way its contract forbids, or a model answered in a way it forbids."""


def require(condition: bool, otherwise: str) -> None:
    """Raise `ContractViolation`, with what was breached, unless the condition holds."""
    if not condition:
        raise ContractViolation(otherwise)
