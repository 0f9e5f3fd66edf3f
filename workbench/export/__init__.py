# SPDX-License-Identifier: Apache-2.0
"""Sources for somebody else's build."""
