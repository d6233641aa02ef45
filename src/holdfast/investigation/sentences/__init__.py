"""One sentence for each question that a commander can read aloud, from the rows of its queries."""
