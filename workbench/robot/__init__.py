"""The Robot keyword library: `Library    workbench.robot.keywords.Keywords`."""
