"""Pictures as SVG text, drawn on the server: timeline, trust graph, coverage, identities by hour.

Rules:
1. They read without scripts and without styles of their own: colours are presentation attributes that take the page's
   variables (``--ink``, ``--alarm``, …) with a fallback, so that a strict content security policy and both themes hold.
2. No meaning hangs on colour alone: shape, pattern, letter or size says it too.
3. Everything that comes from evidence is escaped, and cut to fit; its full text is in a ``<title>``.
4. Each has a ``<title>`` and a ``<desc>`` that says in words what it shows.
5. They are bounded: what does not fit is counted ("and 37 more"), never dropped without a word.

Inside a page, give the SVG its own scrolling box on narrow screens; :func:`~holdfast.kernel.svg.standalone` makes a
file of one.
"""

from holdfast.investigation.drawing.coverage import coverage_svg
from holdfast.investigation.drawing.identities import identities_svg
from holdfast.investigation.drawing.timeline import timeline_svg
from holdfast.investigation.drawing.trust import trust_svg
from holdfast.kernel.svg import standalone

__all__ = ["coverage_svg", "identities_svg", "standalone", "timeline_svg", "trust_svg"]
