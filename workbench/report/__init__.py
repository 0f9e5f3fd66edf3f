# SPDX-License-Identifier: Apache-2.0
"""What an app takes and decides, compared with what was accepted: table, JSON and a page."""
