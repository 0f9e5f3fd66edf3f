# SPDX-License-Identifier: Apache-2.0
"""Where TensorFlow is: in an environment of its own, which the first training makes."""

ENVIRONMENT = ".venv-train"  # in the clone; the only one with TensorFlow
