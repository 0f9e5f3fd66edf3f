"""What keeps Earshot's own sources in order."""
