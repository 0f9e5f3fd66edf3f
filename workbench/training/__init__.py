# SPDX-License-Identifier: Apache-2.0
"""From labelled recordings to an int8 model: recipe, dataset, augmentation, network, fit, convert,
evaluation.

Only network, fit and convert import TensorFlow; the rest runs in the project's own environment.
"""
