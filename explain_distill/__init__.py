"""Distil a black box into students that a person can read."""

__version__ = "0.1.0"
