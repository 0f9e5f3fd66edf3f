# SPDX-License-Identifier: Apache-2.0
"""The stages and models on this computer, by the firmware's own C."""
