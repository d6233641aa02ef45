"""What runs the work that the domain only describes: child processes, scans, file access."""
