"""The generator of histories that the recipes share: a picture with its truths, the steps, and the graph that draws among them."""
