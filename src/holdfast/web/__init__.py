"""The HTTP surface: API, pages, live stream. It decides nothing; everything goes through ``app``."""
