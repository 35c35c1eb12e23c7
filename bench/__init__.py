"""Benchmarks: ratios measured in one run, against the goals of the project."""
