# SPDX-License-Identifier: Apache-2.0
"""Every table of the pipeline from its formula; one file a family."""

from __future__ import annotations

from codegen.app.tables.front_end import check_front_end, front_end_tables, scratch_bytes
from codegen.app.tables.mfcc import MfccTables, check_mfcc, mfcc_scratch_bytes, mfcc_tables
from codegen.app.tables.scale import check_scale

__all__ = [
    "MfccTables",
    "check_front_end",
    "check_mfcc",
    "check_scale",
    "front_end_tables",
    "mfcc_scratch_bytes",
    "mfcc_tables",
    "scratch_bytes",
]
