"""The stages and models on this computer, by the firmware's own C."""
