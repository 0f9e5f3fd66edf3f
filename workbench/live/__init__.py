# SPDX-License-Identifier: Apache-2.0
"""What a device hears while it hears it: events from a port, a program or a file -> one state -> a view."""
