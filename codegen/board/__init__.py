# SPDX-License-Identifier: Apache-2.0
"""board.toml: what a board is, checked."""
