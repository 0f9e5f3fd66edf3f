# SPDX-License-Identifier: Apache-2.0
"""Recordings, read and made."""
