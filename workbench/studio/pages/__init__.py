# SPDX-License-Identifier: Apache-2.0
"""The studio's pages, a module each."""
