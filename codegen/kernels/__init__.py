# SPDX-License-Identifier: Apache-2.0
"""What a layer becomes: calls of kernels, requantisation, packed weights."""
