# SPDX-License-Identifier: Apache-2.0
"""python -m workbench WORD ...: what `./earshot` calls."""

import sys

try:
    from workbench.cli import main
except KeyboardInterrupt:  # before anything runs that could say so
    print("earshot: interrupted", file=sys.stderr)
    sys.exit(130)

if __name__ == "__main__":  # not in the processes that work for it
    sys.exit(main(sys.argv[1:]))
