"""nginx sending files with the kernel's help, with one worker: this program becomes nginx."""

import os
import tempfile

from tests.benchmarks.servers import CONTENT_TYPE, HOST, own_port
from tests.benchmarks.servers.files import CERTIFICATE, FOLDER

# keepalive_requests: by default a connection is closed after 1,000 requests. An open_file_cache
# saves opening and looking, as we do: it is there on many sites, and off by default.
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type {content_type};
    server {{
        listen {host}:{port} {tls} backlog=1024;
        {certificate}
        root {files};
    }}
}}
"""


def configuration(folder: str) -> str:
    """The configuration, with every file that nginx writes in *folder*."""
    return CONFIGURATION.format(
        folder=folder,
        host=HOST,
        port=own_port(),
        content_type=CONTENT_TYPE,
        files=FOLDER,
        tls="ssl" if CERTIFICATE else "",
        certificate=f"ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE};"
        if CERTIFICATE
        else "",
    )


if __name__ == "__main__":
    # The harness removes the folder for temporary files: nobody is left here to do it.
    folder = tempfile.mkdtemp()
    descriptor = os.memfd_create("nginx.conf", 0)
    os.write(descriptor, configuration(folder).encode())
    os.execvp("nginx", ["nginx", "-p", folder, "-e", "stderr", "-c", f"/proc/self/fd/{descriptor}"])
