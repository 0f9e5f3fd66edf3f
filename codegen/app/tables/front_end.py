# SPDX-License-Identifier: Apache-2.0
"""The one front end of a pipeline, whichever it is."""

from __future__ import annotations

from codegen.app.spec import LogMel, Mfcc, MicroFrontend, Pipeline
from codegen.app.tables.after import check_after
from codegen.app.tables.log_mel import LogMelTables, check_log_mel, log_mel_scratch_bytes, log_mel_tables
from codegen.app.tables.mfcc import MfccTables, check_mfcc, mfcc_scratch_bytes, mfcc_tables
from codegen.app.tables.micro_frontend import (
    MicroFrontendTables,
    check_micro_frontend,
    micro_frontend_scratch_bytes,
    micro_frontend_tables,
)


def front_end_tables(pipeline: Pipeline) -> MfccTables | MicroFrontendTables | LogMelTables:
    """The tables of settings that passed check_front_end()."""
    front_end = pipeline.front_end
    if isinstance(front_end, Mfcc):
        return mfcc_tables(pipeline.audio, pipeline.window, front_end)
    if isinstance(front_end, LogMel):
        return log_mel_tables(pipeline.audio, pipeline.window, front_end)
    return micro_frontend_tables(pipeline.audio, pipeline.window, front_end)


def check_front_end(pipeline: Pipeline) -> None:
    """Settings in their ranges that still make no front end: UserError with its section and key as place."""
    front_end = pipeline.front_end
    if not isinstance(front_end, MicroFrontend):
        check_after(front_end)
    if isinstance(front_end, Mfcc):
        check_mfcc(pipeline.audio, front_end)
    elif isinstance(front_end, LogMel):
        check_log_mel(pipeline.audio, pipeline.window, front_end)
    else:
        check_micro_frontend(pipeline.audio, pipeline.window, front_end)


def scratch_bytes(pipeline: Pipeline) -> int:
    """Memory that the front end uses between a window and its values."""
    front_end = pipeline.front_end
    if isinstance(front_end, Mfcc):
        return mfcc_scratch_bytes(front_end)
    if isinstance(front_end, LogMel):
        return log_mel_scratch_bytes(pipeline.window, front_end)
    return micro_frontend_scratch_bytes(pipeline.window)
