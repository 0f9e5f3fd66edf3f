# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny: images that its runner talks to, its tests driven from here, its own runner on an emulator."""
