"""What a layer becomes: calls of kernels, requantisation, packed weights."""
