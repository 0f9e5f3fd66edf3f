# SPDX-License-Identifier: Apache-2.0
""".tflite becomes a Graph: reading and checking alone."""
