# SPDX-License-Identifier: Apache-2.0
"""What all rooms use: errors that teach, rendering of templates, TOML with places."""
