"""What runs: recordings, models, training, and the doors to images on the PC, in an emulator, on a board."""
