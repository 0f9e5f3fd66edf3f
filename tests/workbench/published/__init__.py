# SPDX-License-Identifier: Apache-2.0
"""Published models from sound to decision."""
