"""The record, the texts, the projections and the objects, on SQLite or PostgreSQL and a filesystem.

Rules:
1. An append is acknowledged after its commit returned: SQLite in WAL mode with ``synchronous=FULL``,
   PostgreSQL with its default ``synchronous_commit``.
2. Stored event bytes are never changed or migrated; readers cast old versions up.
3. Projections are caches: dropping them loses nothing.
"""
