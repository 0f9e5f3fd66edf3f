# SPDX-License-Identifier: Apache-2.0
"""CMSIS-Packs: fetched and indexed by cmsis-pack-manager, compared with board.toml, handed to pyOCD."""
