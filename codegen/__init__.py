# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml, model.tflite and board.toml become C sources, linker scripts and test suites.

Pure functions from files to text: nothing here runs a program or knows SCons, a board's port or TensorFlow.
"""
