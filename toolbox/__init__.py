# SPDX-License-Identifier: Apache-2.0
"""What SCons stands on: options, tools, environment, locks, checksums, sizes, packs."""
