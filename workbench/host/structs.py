# SPDX-License-Identifier: Apache-2.0
"""The runtime's structs for ctypes; test_library.py holds them to the C compiler's layout."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_int, c_int8, c_int32, c_size_t, c_uint8, c_uint32, c_uint64


class ModelStruct(ctypes.Structure):
    """model_t of nn/model.h."""

    _fields_ = (
        ("name", c_char_p),
        ("input_size", c_size_t),
        ("output_size", c_size_t),
        ("start", ctypes.CFUNCTYPE(c_int)),
        ("reset", ctypes.CFUNCTYPE(None)),
        ("run", ctypes.CFUNCTYPE(c_int, ctypes.c_void_p, ctypes.c_void_p)),
        ("advance", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("finish", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("catch_up", c_size_t),
        ("more_runs", c_size_t),
    )


class PipelineStruct(ctypes.Structure):
    """pipeline_t of pipeline/pipeline.h; stages stay opaque."""

    _fields_ = (
        ("name", c_char_p),
        ("feature_contract", c_char_p),
        ("labels", POINTER(c_char_p)),
        ("sample_rate", c_uint32),
        ("window", ctypes.c_void_p),
        ("gate", ctypes.c_void_p),
        ("front_end", ctypes.c_void_p),
        ("cascade", ctypes.c_void_p),
        ("classifier", ctypes.c_void_p),
        ("decision", ctypes.c_void_p),
        ("held_back", ctypes.c_void_p),
        ("values", POINTER(c_int32)),
        ("features", POINTER(c_uint8)),
        ("frame", POINTER(c_int8)),
        ("state", ctypes.c_void_p),
    )


class VerdictStruct(ctypes.Structure):
    """verdict_t of pipeline/decision.h."""

    _fields_ = (("score", c_int32, 24), ("class_index", c_uint32, 8))


class StepStruct(ctypes.Structure):
    """step_t of pipeline/pipeline.h."""

    _fields_ = (
        ("start", c_uint64),
        ("sequence", c_uint32),
        ("gate_open", c_bool),
        ("decided", c_bool),
        ("error", c_int),
        ("values", POINTER(c_int32)),
        ("features", POINTER(c_uint8)),
        ("frame", POINTER(c_int8)),
        ("input", POINTER(c_int8)),
        ("scores", POINTER(c_int8)),
        ("verdict", VerdictStruct),
    )
