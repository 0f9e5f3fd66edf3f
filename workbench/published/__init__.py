# SPDX-License-Identifier: Apache-2.0
"""Models that others published, from sound to decision, beside their publishers' own code."""
