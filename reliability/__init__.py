"""Breaks what watches, in every way a machine can, and holds what is left against a scan."""
