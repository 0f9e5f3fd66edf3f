# SPDX-License-Identifier: Apache-2.0
"""What the kernels' 32-bit arithmetic can hold: the one derivation that all packers and roundings stand on.

Every short requantisation of firmware/nn ends in the same three steps, in 32 bits:

    high   = round(sum * value / 2^31), value a Multiplier's, 2^30 .. 2^31 - 1
    total  = high + add - (0 or 1), add = zero * 2^shift + 2^shift / 2
    output = saturate(total >> shift)
"""

from __future__ import annotations

INPUT_LIMIT = 128  # |int8|
LARGEST_WEIGHT = 127  # |weight| of two outputs a word: with -128 the two lanes would not fit 16 bits

# |sum| is below: value < 2^31, so |high| <= 2^30 as well; 2 * sum still fits, which some kernels multiply.
LARGEST_SUM = 1 << 30

# Of the three steps. Half of 32 bits is taken by high: |total| < 2^31 while |add| + 1 < 2^30. The largest add
# is that of zero = 127 + 128 (before a table the index 0 .. 255 of its values is computed): 255.5 * 2^shift.
# So 2^shift < 2^30 / 255.5, which is between 2^22 and 2^23.
LARGEST_ZERO = 127 + 128
LARGEST_SHIFT = (((1 << 30) - 2) * 2 // (2 * LARGEST_ZERO + 1)).bit_length() - 1

# Two outputs a word: the second's sum is found in the upper 24 of 32 bits, -limit .. limit - 1.
PAIR_SUM_LIMIT = 1 << 23

# A sum of so many products of any weights and inputs always fits that, in whole octets of taps: dense kernels
# take eight at once.
OCTET = 8
SAFE_TAPS = (PAIR_SUM_LIMIT - 1) // (LARGEST_WEIGHT * INPUT_LIMIT) // OCTET * OCTET
