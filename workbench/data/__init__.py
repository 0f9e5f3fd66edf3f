"""What is known of recordings: labels."""
