"""Reads: what surfaces show. Every query takes who asks, and shows no more than they may see."""
