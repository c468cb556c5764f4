"""requests, in as many threads as are busy."""

import requests
from requests.adapters import HTTPAdapter

from tests.benchmarks.clients.work import ask_from_threads, check, job


def main() -> None:
    asked = job()
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(pool_maxsize=asked.at_once))

        def ask() -> None:
            response = session.get(asked.url)
            check(response.status_code, response.content, asked.size)

        ask_from_threads(asked, ask)


if __name__ == "__main__":
    main()
