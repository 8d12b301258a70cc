"""One generator of the histories that pictures on the web have, with the truth carried along for every metric of the pixel grid."""
