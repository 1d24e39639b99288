"""Responding: what a response takes between being asked for and being kept."""

from sauropod.server.responding.responder import Responder
from sauropod.server.responding.running import Running

__all__ = ["Responder", "Running"]
