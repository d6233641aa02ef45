"""Packs: an incident's record and evidence as one file that anybody can check without us.

A pack is a BagIt 1.0 bag (RFC 8493) in one uncompressed tar file, byte for byte determined by its contents.

Rules:
1. Every byte of the file is proven: headers, padding and end are recomputed, contents are hashed, the list of
   hashes is signed, the record's tree root is signed, the installation log shows that the record is in it.
2. Verifying is one pass over a stream and holds no evidence in memory.
3. Without a key from elsewhere the verdict is *intact, signer unproven*, never *authentic*.
4. What is withheld or erased is named with its digest; nothing is silently absent.
5. Two verifiers read the format independently: :mod:`.verify`, and ``verify_pack.py`` (standard library only,
   a copy in every pack). They give the same verdicts, codes and exit codes; tests hold them to it.
6. An event type that a verifier does not know is proven like any other.

Not handled here: reading the record and the vault (``app.packing``), time stamps by others (none yet).
"""
