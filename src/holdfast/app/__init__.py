"""Use cases: commands, queries, authorisation, settings, the bus, the unit of work.

Surfaces call ``app``; ``app`` joins the domain packages and speaks to the outside through ``ports``.
"""
