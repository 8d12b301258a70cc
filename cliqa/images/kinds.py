"""Files that are no image we read, by their right name: told by their first bytes, never by their suffix."""

from __future__ import annotations

# (offset, bytes, name). The first that fits is the answer.
_KINDS = (
    (0, b"8BPS", "a Photoshop document (PSD)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document (EPS)"),
    (0, b"gimp xcf", "a GIMP document (XCF)"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"PK\x05\x06", "a ZIP archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (8, b"AVI ", "a video (AVI)"),
    (8, b"WAVE", "a sound file (WAV)"),
    (0, b"\x00\x00\x01\xba", "a video (MPEG)"),
    (0, b"\x00\x00\x01\xb3", "a video (MPEG)"),
    (0, b"FLV\x01", "a video (FLV)"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video (WMV)"),
    (0, b"OggS", "a sound or video file (Ogg)"),
    (0, b"ID3", "a sound file (MP3)"),
    (0, b"fLaC", "a sound file (FLAC)"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (0, b"#?RADIANCE", "a Radiance HDR image"),
    (0, b"#?RGBE", "a Radiance HDR image"),
    (0, b"II\xbc", "a JPEG XR image"),
    (0, b"BPG\xfb", "a BPG image"),
    (0, b"DDS ", "a DirectDraw texture (DDS)"),
    (0, b"SIMPLE  =", "a FITS image"),
    (0, b"\x00\x00\x01\x00", "an icon (ICO)"),
    (0, b"icns", "an icon (ICNS)"),
    (0, b"DjVu", "a DjVu document"),
    (0, b"AT&TFORM", "a DjVu document"),
    (128, b"DICM", "a DICOM image"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)"),
    (40, b" EMF", "a Windows metafile (EMF)"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document"),
    (0, b"SQLite format 3", "an SQLite data base"),
)
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # how QuickTime files before `ftyp` begin


def kind_of(head: bytes) -> str:
    """What a file is, with its article, from its first 512 bytes; "" where they don't tell."""
    for offset, signature, name in _KINDS:
        if head[offset : offset + len(signature)] == signature:
            return name
    if head[4:8] == b"ftyp":
        return "a video (MOV)" if head[8:12] == b"qt  " else "a video (MP4)"
    if head[4:8] in _ATOMS:
        return "a video (MOV)"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), not an image"
    return ""
