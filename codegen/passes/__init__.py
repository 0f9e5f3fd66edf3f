# SPDX-License-Identifier: Apache-2.0
"""From a Graph to a Program with its memory, a pass a file."""
