"""The serial lines as the host sees them."""
