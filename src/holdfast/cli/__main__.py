"""``python -m holdfast.cli``: the same command without the installed script."""

from holdfast.cli.main import run

run()
