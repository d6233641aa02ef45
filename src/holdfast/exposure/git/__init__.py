"""Git's object store as arithmetic: indexes, packs, deltas, objects, history. It reads buffers and opens nothing.

Rules:
1. Every object is made at most once, in the order of its delta tree; what a delta copies was searched in its base.
2. Of an object made from a base only *novel windows* are searched: inserted bytes, and the bytes around each seam as
   far as the longest anchor reaches. A family with a hit is searched again whole, because copies inherit it.
3. Every read is within bounds, whatever the bytes say; what does not fit is a fault with a code, never an exception.
4. The kernels (numba) and the plain functions give the same; tests hold them to it.
"""
