"""Registries of images and packages: everything that was published under a name, streamed into a search.

Rules:
1. Every tag and every version is read; a list that may go on is asked for its rest.
2. Nothing is written to disk, and every artifact is checked against the digest its registry tells.
3. Credentials are given by reference and go to the registry's own host only, over TLS or to this machine.
"""
