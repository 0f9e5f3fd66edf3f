# SPDX-License-Identifier: Apache-2.0
"""Proof that an image ran on a board: a log of a fixed session, packed with hashes, and how it is read."""
