"""Continuous detection: from sources through the store to sinks."""
