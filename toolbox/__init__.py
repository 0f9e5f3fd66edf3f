"""What SCons stands on: options, tools, environment, locks, checksums, sizes, packs."""
