# SPDX-License-Identifier: Apache-2.0
"""Robot suites of an app: which recordings, which cases, and what runs them."""
