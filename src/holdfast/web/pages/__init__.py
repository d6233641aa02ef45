"""Server-rendered pages: a view and its template side by side."""
