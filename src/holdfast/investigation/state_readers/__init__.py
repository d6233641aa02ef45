"""One module per kind of captured state, each with a constant ``READER`` or ``READERS``; see ``captured``."""
