"""What all rooms use: errors that teach, rendering of templates, TOML with places."""
