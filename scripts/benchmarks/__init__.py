"""Benchmarks of the parts that have a target; `scripts/bench NAME` runs one."""
