"""The command line: every use case and query, speaking HTTP to a server, or to the same application in process."""
