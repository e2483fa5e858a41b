"""Findings as others want to read them."""
