"""urllib3, in as many threads as are busy."""

import urllib3

from tests.benchmarks.clients.work import ask_from_threads, check, job


def main() -> None:
    asked = job()
    with urllib3.PoolManager(maxsize=asked.at_once) as pool:

        def ask() -> None:
            response = pool.request("GET", asked.url)
            check(response.status, response.data, asked.size)

        ask_from_threads(asked, ask)


if __name__ == "__main__":
    main()
