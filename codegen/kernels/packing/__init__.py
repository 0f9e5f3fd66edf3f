# SPDX-License-Identifier: Apache-2.0
"""Weights in the order in which the kernels read them."""
