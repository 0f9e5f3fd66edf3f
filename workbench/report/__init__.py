"""What an app takes and decides, compared with what was accepted: table, JSON and a page."""
