"""board.toml: what a board is, checked."""
