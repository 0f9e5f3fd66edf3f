""".tflite becomes a Graph: reading and checking alone."""
