"""One self-contained HTML page of saved scores: histograms, thresholds, pictures, and the command that acts on them.

The page holds the columns of the store as compressed typed arrays, the names, pictures for a stratified sample, and
one script. It asks for nothing from anywhere: its content security policy would not let it.
"""
