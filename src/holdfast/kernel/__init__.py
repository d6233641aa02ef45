"""Values every package speaks: ids, instants, actors, events, errors, secrets, canonical bytes. No I/O.

Rules:
1. Nothing here reads a clock, a random source, a file or a socket; those come in as arguments.
2. A name enters the kernel only when two packages need it.
"""
