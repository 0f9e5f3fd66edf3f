# SPDX-License-Identifier: Apache-2.0
"""The memory plan for a person: a table and a picture."""
