# SPDX-License-Identifier: Apache-2.0
"""The only place that spells C, Robot, linker and flash scripts, by the templates."""
