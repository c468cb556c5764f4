"""pycurl: one handle after another, or many on a CurlMulti."""

from io import BytesIO

import pycurl

from tests.benchmarks.clients.work import Job, ask_by_turns, check, job


def handle(asked: Job) -> pycurl.Curl:
    made = pycurl.Curl()
    made.setopt(pycurl.URL, asked.url)
    return made


def begin(one: pycurl.Curl) -> BytesIO:
    body = BytesIO()
    one.setopt(pycurl.WRITEDATA, body)
    return body


def finish(one: pycurl.Curl, body: BytesIO, asked: Job) -> None:
    check(one.getinfo(pycurl.RESPONSE_CODE), body.getvalue(), asked.size)


def in_turn(asked: Job) -> None:
    one = handle(asked)

    def work(count: int) -> None:
        for _ in range(count):
            body = begin(one)
            one.perform()
            finish(one, body, asked)

    ask_by_turns(asked, work)


def at_once(asked: Job) -> None:
    multi, handles = pycurl.CurlMulti(), [handle(asked) for _ in range(asked.at_once)]

    def work(count: int) -> None:
        left, bodies = count, {}
        free = list(handles)
        while left or bodies:
            while free and left:
                one, left = free.pop(), left - 1
                bodies[one] = begin(one)
                multi.add_handle(one)
            multi.perform()
            _, done, failed = multi.info_read()
            if failed:
                raise AssertionError(f"failed: {failed[0][2]}")
            for one in done:
                multi.remove_handle(one)
                finish(one, bodies.pop(one), asked)
                free.append(one)
            if not done:
                multi.select(1.0)

    ask_by_turns(asked, work)


if __name__ == "__main__":
    in_turn(job()) if job().at_once == 1 else at_once(job())
