# SPDX-License-Identifier: Apache-2.0
"""One command a file: NAME, HELP, DESCRIPTION, arguments(parser), run(args) -> exit code."""
