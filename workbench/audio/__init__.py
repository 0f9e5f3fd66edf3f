"""Recordings, read and made."""
