"""What benchmarks share. A benchmark imports from here; nothing here knows a benchmark."""
