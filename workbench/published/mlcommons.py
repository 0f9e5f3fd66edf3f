# SPDX-License-Identifier: Apache-2.0
"""Features by the script get_dataset.py of a checkout of mlcommons/tiny, in an environment with TensorFlow.

    python -m workbench.published.mlcommons FOLDER SOUNDS.npz FEATURES.npz

FOLDER holds the script. Of each sound, int16[samples], the file gets float32[windows, 40]: 0..1.
"""

from __future__ import annotations

import importlib
import sys

import numpy as np

SETTINGS = {  # of the benchmark: 64 ms every 32 ms
    "sample_rate": 16000,
    "window_size_samples": 1024,
    "window_stride_samples": 512,
    "dct_coefficient_count": 40,
}


def main() -> int:
    """Exit code 0; what the script raises goes on."""
    folder, sounds, features = sys.argv[1:]
    sys.path.insert(0, folder)
    extract = importlib.import_module("get_dataset").get_lfbe_func(SETTINGS)
    with np.load(sounds) as arrays:
        made = [extract(arrays[name] / 2**15).numpy().reshape(-1, 40) for name in arrays.files]
    np.savez(features, *made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
