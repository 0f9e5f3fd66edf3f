"""Sources for somebody else's build."""
