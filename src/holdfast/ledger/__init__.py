"""The tamper-evident log as arithmetic: leaves, tree, proofs, signed checkpoints. No I/O.

Rules:
1. Leaf, node and tree hashes are RFC 6962's (section 2.1; the same in RFC 9162), with SHA-256.
2. A checkpoint is a C2SP tlog-checkpoint inside a C2SP signed-note, under pure Ed25519 (RFC 8032).
3. Parsing is strict: one text form per value, so that no two byte strings mean the same checkpoint.
4. Not handled here: keeping keys (``store.signing``), storing leaves (``store``), cosignatures of witnesses.
"""
