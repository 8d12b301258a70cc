"""The recipe of `scale_factor.learned`: outputs of many upscaling networks, what is none, and the network that tells them apart."""
