# SPDX-License-Identifier: Apache-2.0
"""Instructions by which plans are compared, beside a layer's products: about right for most layers."""

CALL = 60  # of a call
VALUE = 8  # of a value that a call reads or makes
GAIN = (
    1.1  # a plan that needs more memory, or kernels for rows that are made anew, has to be that much better
)
