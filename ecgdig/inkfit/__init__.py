"""Curves fitted to the ink: each trace is drawn again with the page's own pen until it lies on what is printed."""

from ecgdig.inkfit.curves import fit_ink as fit_ink
