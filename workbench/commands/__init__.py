"""One command a file: NAME, HELP, DESCRIPTION, arguments(parser), run(args) -> exit code."""
