"""Listens, thinks and speaks on your own machine."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
