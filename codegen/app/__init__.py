"""pipeline.toml becomes a Spec, with its tables and its feature contract."""
