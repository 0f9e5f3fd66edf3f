# SPDX-License-Identifier: Apache-2.0
"""Every table of the pipeline from its formula; one file a family."""

from __future__ import annotations

from codegen.app.tables.mfcc import MfccTables, check_mfcc, mfcc_scratch_bytes, mfcc_tables
from codegen.app.tables.scale import check_scale

__all__ = ["MfccTables", "check_mfcc", "check_scale", "mfcc_scratch_bytes", "mfcc_tables"]
