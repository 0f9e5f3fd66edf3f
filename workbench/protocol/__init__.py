# SPDX-License-Identifier: Apache-2.0
"""The serial lines as the host sees them."""
