"""nginx answering from its configuration, with one worker: this program becomes nginx."""

import os
import tempfile

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HOST, LOG, own_port

# keepalive_requests: by default a connection is closed after 1,000 requests.
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log {log};
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type {content_type};
    server {{
        listen {host}:{port} backlog=1024;
        location / {{ return 404; }}
        location = / {{ return 200 "{hello}"; }}
        location = /one/two {{ return 200 "{hello}"; }}
    }}
}}
"""


def configuration(folder: str) -> str:
    """The configuration, with every file that nginx writes in *folder*."""
    hello = HELLO.decode().replace("\n", "\\n")
    return CONFIGURATION.format(
        folder=folder,
        host=HOST,
        port=own_port(),
        hello=hello,
        content_type=CONTENT_TYPE,
        log=LOG or "off",
    )


if __name__ == "__main__":
    # The harness removes the folder for temporary files: nobody is left here to do it.
    folder = tempfile.mkdtemp()
    descriptor = os.memfd_create("nginx.conf", 0)
    os.write(descriptor, configuration(folder).encode())
    os.execvp("nginx", ["nginx", "-p", folder, "-e", "stderr", "-c", f"/proc/self/fd/{descriptor}"])
