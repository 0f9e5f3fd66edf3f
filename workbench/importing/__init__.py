# SPDX-License-Identifier: Apache-2.0
"""What publishers hand out, as apps' folders."""
