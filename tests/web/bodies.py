"""Forms as clients write them."""

BOUNDARY = "----a+form"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def field(name, value):
    """A part that is a plain field."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def file(name, filename, content, kind="text/plain"):
    """A part that is a file."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return f"{head}Content-Type: {kind}\r\n\r\n".encode() + content


def form(*parts):
    """A whole form of these parts."""
    line = f"--{BOUNDARY}".encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
