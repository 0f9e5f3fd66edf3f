# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml becomes a Spec, with its tables and its feature contract."""
