"""Any image file -> decoded RGB and the facts of its header. The rules are told in `cliqa.images.loading`."""

from cliqa.images.loading import LoadedImage, load_image, load_thumbnail, read_header

__all__ = ["LoadedImage", "load_image", "load_thumbnail", "read_header"]
