# SPDX-License-Identifier: Apache-2.0
"""What keeps Earshot's own sources in order."""
