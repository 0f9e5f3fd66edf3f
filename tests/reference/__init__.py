# SPDX-License-Identifier: Apache-2.0
"""Independent models of the pipeline, from its description; nothing here comes from codegen or firmware."""
