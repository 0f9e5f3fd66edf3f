"""The Robot keyword library: `Library    workbench.suites.robot.keywords.Keywords`."""
