"""``python -m holdfast.demo``: a leaked secret, from the alert to a pack that verifies, played over the HTTP API.

What is real: the server, everything said to it, the git repository and the search through it, the log files and the
counting in them, the freeze gate, the pack and both verifiers. What is acted: the people, the cloud that is said to
have written the logs, and how quickly it all goes.
"""
