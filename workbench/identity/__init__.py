# SPDX-License-Identifier: Apache-2.0
"""Who is at a serial port, and where in this computer's folders that image comes from."""
