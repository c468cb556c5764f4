"""What type a file is, by its name: a table of ours, the same on every machine.

The standard library's `mimetypes` reads the tables of the machine (/etc/mime.types) before it
answers, and its own differs from one Python to the next; the same site must not.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["CONTENT_ENCODINGS", "CONTENT_TYPES", "getTypeAndEncoding", "loadMimeTypes"]

# The registered type (iana.org/assignments/media-types) where there is one, then what the field's
# servers say. JavaScript is RFC 9239. XML is not text/xml, whose charset would overrule
# what the file says of itself (RFC 7303, 3.2).
_TABLE: Final = """
application/atom+xml                atom
application/epub+zip                epub
application/geo+json                geojson
application/gpx+xml                 gpx
application/gzip                    gz tgz
application/java-archive            jar
application/json                    json map
application/ld+json                 jsonld
application/manifest+json           webmanifest
application/msword                  doc dot
application/octet-stream            a bin dll exe img iso o obj so
application/ogg                     ogx
application/pdf                     pdf
application/pgp-signature           asc sig
application/pkcs7-mime              p7c
application/postscript              ai eps ps
application/rss+xml                 rss
application/rtf                     rtf
application/sql                     sql
application/toml                    toml
application/vnd.android.package-archive  apk
application/vnd.apple.mpegurl       m3u m3u8
application/vnd.debian.binary-package  deb
application/vnd.google-earth.kml+xml  kml
application/vnd.google-earth.kmz    kmz
application/vnd.ms-excel            xls
application/vnd.ms-fontobject       eot
application/vnd.ms-powerpoint       pot pps ppt
application/vnd.oasis.opendocument.presentation  odp
application/vnd.oasis.opendocument.spreadsheet  ods
application/vnd.oasis.opendocument.text  odt
application/vnd.openxmlformats-officedocument.presentationml.presentation  pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet  xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document  docx
application/vnd.rar                 rar
application/wasm                    wasm
application/x-7z-compressed         7z
application/x-bzip2                 bz2
application/x-ndjson                ndjson
application/x-pkcs12                p12 pfx
application/x-python-code           pyc pyo
application/x-rpm                   rpm
application/x-sh                    sh
application/x-tar                   tar
application/x-tex                   tex
application/x-x509-ca-cert          crt der pem
application/x-xz                    xz
application/xhtml+xml               xht xhtml
application/xml                     rdf wsdl xml
application/xslt+xml                xsl xslt
application/yaml                    yaml yml
application/zip                     whl zip
application/zstd                    zst
audio/aac                           aac
audio/basic                         au snd
audio/flac                          flac
audio/midi                          mid midi
audio/mp4                           m4a
audio/mpeg                          mp2 mp3
audio/ogg                           oga ogg opus
audio/wav                           wav
audio/webm                          weba
audio/x-aiff                        aif aiff
font/otf                            otf
font/ttf                            ttf
font/woff                           woff
font/woff2                          woff2
image/apng                          apng
image/avif                          avif
image/bmp                           bmp
image/gif                           gif
image/heic                          heic
image/heif                          heif
image/jpeg                          jpe jpeg jpg
image/jxl                           jxl
image/png                           png
image/svg+xml                       svg
image/tiff                          tif tiff
image/vnd.microsoft.icon            cur ico
image/webp                          webp
image/x-portable-anymap             pnm
image/x-portable-bitmap             pbm
image/x-portable-graymap            pgm
image/x-portable-pixmap             ppm
message/rfc822                      eml mht mhtml
model/gltf+json                     gltf
model/gltf-binary                   glb
model/stl                           stl
text/calendar                       ics
text/css                            css
text/csv                            csv
text/html                           htm html
text/javascript                     js mjs
text/markdown                       markdown md
text/plain                          bat c cfg conf diff h ini log patch pl rst srt text txt
text/tab-separated-values           tsv
text/vcard                          vcf
text/vtt                            vtt
text/x-python                       py
video/3gpp                          3gp
video/3gpp2                         3g2
video/mp2t                          m2ts
video/mp4                           m4v mp4
video/mpeg                          mpe mpeg mpg
video/ogg                           ogv
video/quicktime                     mov qt
video/webm                          webm
video/x-matroska                    mkv
video/x-msvideo                     avi
"""

# Extensions, with their dot and in lower case, to types.
CONTENT_TYPES: Final[Mapping[str, str]] = {
    f".{extension}": kind
    for kind, *extensions in map(str.split, _TABLE.split("\n")[1:-1])
    for extension in extensions
}

# Suffixes of what was compressed to be sent, the smallest first, to codings that clients undo.
# bzip2 and xz are none (iana.org/assignments/http-parameters): their files are archives.
CONTENT_ENCODINGS: Final[Mapping[str, str]] = {".br": "br", ".zst": "zstd", ".gz": "gzip"}

# Compressed with something, these are what people download and unpack themselves: a client that
# undid the coding would keep a file of the wrong content under its name.
_KEPT_WHOLE: Final = frozenset({".tar"})


def loadMimeTypes() -> dict[str, str]:
    """A fresh copy of the table, from ".html" to "text/html" and so on."""
    return dict(CONTENT_TYPES)


def getTypeAndEncoding(
    filename: str, types: Mapping[str, str], encodings: Mapping[str, str], defaultType: str
) -> tuple[str, str | None]:
    """The type of a file by its name, and the coding it lies in, None for none.

    "page.html.gz" is text/html in gzip. A coding counts only around a type that *types* knows:
    "data.gz" is application/gzip, and so is "all.tar.gz".
    """
    stem, extension = _split(filename)
    if encoding := encodings.get(extension):
        inner = _split(stem)[1]
        if inner in types and inner not in _KEPT_WHOLE:
            return types[inner], encoding
    return types.get(extension, defaultType), None


def _split(filename: str) -> tuple[str, str]:
    """A name without its extension, and that: with its dot, in lower case, "" for none."""
    stem, dot, extension = filename.rpartition(".")
    return (stem, f".{extension.lower()}") if dot and stem else (filename, "")
