# SPDX-License-Identifier: Apache-2.0
"""python -m workbench WORD ...: what `./earshot` calls."""

import sys

from workbench.cli import main

sys.exit(main(sys.argv[1:]))
