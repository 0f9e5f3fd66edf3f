# SPDX-License-Identifier: Apache-2.0
"""The Robot keyword library: `Library    workbench.suites.robot.keywords.Keywords`."""
