"""The portal's side of benchmarks, in processes of its own: ``python -m bench.subjects NAME OPERATION [count]``."""
