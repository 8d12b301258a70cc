"""What a lossy file's own headers say of its quantizer. Nothing is decoded, few bytes are read, and no file makes it fail."""

from cliqa.images.codec_headers.reading import CodecHeader, read_codec_header

__all__ = ["CodecHeader", "read_codec_header"]
