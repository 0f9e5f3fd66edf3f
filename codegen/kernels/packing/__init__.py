"""Weights in the order in which the kernels read them."""
