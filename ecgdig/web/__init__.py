"""`ecgdig serve`: a web page on which readings are seen, corrected and taken home.

The server (`app`, Starlette) decodes nothing: processes that can be killed (`worker`, `tasks`) do, one job at a time,
on files that have names of the server's own. The page (`static/`) shows the image with Leaflet and the leads with
uPlot, both served from here; it asks nothing of anyone else.
"""
