# SPDX-License-Identifier: Apache-2.0
"""Small TFLite models, written by the tests that need them; no binary is kept."""
