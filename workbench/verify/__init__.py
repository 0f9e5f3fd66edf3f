# SPDX-License-Identifier: Apache-2.0
"""Comparing: with the reference interpreter, and between targets."""
