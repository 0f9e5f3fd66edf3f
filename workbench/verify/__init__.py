"""Comparing: with the reference interpreter, and between targets."""
