"""nginx with a few bytes at `/hello` and a megabyte at `/large`: this program becomes nginx."""

import os
import tempfile
from pathlib import Path

from tests.benchmarks.servers import HELLO, HOST, own_port

LARGE = 1024 * 1024

# keepalive_requests: by default a connection is closed after 1,000 requests.
CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port} backlog=1024;
        location = / {{ return 200 "{hello}"; }}
        location = /large {{ root {folder}; }}
    }}
}}
"""


if __name__ == "__main__":
    # The harness removes the folder for temporary files: nobody is left here to do it.
    folder = tempfile.mkdtemp()
    Path(folder, "large").write_bytes(bytes(LARGE))
    hello = HELLO.decode().replace("\n", "\\n")
    # Root's nginx would become nobody, who cannot read a folder of root's.
    user = "user root;" if os.geteuid() == 0 else ""
    text = CONFIGURATION.format(folder=folder, host=HOST, port=own_port(), hello=hello, user=user)
    descriptor = os.memfd_create("nginx.conf", 0)
    os.write(descriptor, text.encode())
    os.execvp("nginx", ["nginx", "-p", folder, "-e", "stderr", "-c", f"/proc/self/fd/{descriptor}"])
