"""python -m workbench WORD ...: what `./earshot` calls."""

import sys

from workbench.cli import main

sys.exit(main(sys.argv[1:]))
