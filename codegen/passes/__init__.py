"""From a Graph to a Program with its memory, a pass a file."""
