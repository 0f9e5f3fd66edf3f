# SPDX-License-Identifier: Apache-2.0
"""The studio: one local page on which a person records, labels, looks, and listens to an app."""
