"""The memory plan for a person: a table and a picture."""
