"""Finds AWS keys that strayed from the workload they were issued to."""

__all__ = ["__version__"]

__version__ = "0.1.0"
