"""Pictures, scores and marks in a browser: a page that is served from this machine alone and reads the original files.

The page's scripts are modules of its own (`view/page`) and those that it shares with the report (`report/page`).
"""
