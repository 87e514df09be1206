"""Recording -> clean page with exact truth: layouts, styles, strokes, text."""

from ecgdig.page.layout import Layout, Paper, Placement, Segment, arrange
from ecgdig.page.looks import PLAIN, Style
from ecgdig.page.page import Mark, Page, Trace
from ecgdig.page.pages import pages_of
from ecgdig.page.plan import LeadPlan, lead_plan, parse_plan
from ecgdig.page.render import render
from ecgdig.page.sample import sample_layout, sample_page
from ecgdig.page.style import sample_style
from ecgdig.page.warp import Homography, Warp, Waves

__all__ = [
    "PLAIN", "Homography", "Layout", "LeadPlan", "Mark", "Page", "Paper", "Placement", "Segment", "Style", "Trace",
    "Warp", "Waves", "arrange", "lead_plan", "pages_of", "parse_plan", "render", "sample_layout", "sample_page",
    "sample_style",
]  # fmt: skip
