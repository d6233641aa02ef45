"""``python -m tests.company OUT --events 2000000 [--seed 1] [--months 6] [--processes 2]``: write a company's logs."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.company import Company


def main() -> None:
    """Write it and say what it holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.company", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--months", type=float, default=6)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    begun = time.perf_counter()
    answers = Company(asked.seed, asked.events, asked.months).write(asked.out, asked.processes)
    took = time.perf_counter() - begun
    counted = answers.inputs
    sys.stdout.write(f"{counted}\n{counted.records / took:,.0f} records/s in {took:.1f} s\nsubject {answers.subject}\n")


if __name__ == "__main__":
    main()
