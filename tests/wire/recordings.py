"""The same form as real clients sent it, to the byte."""

RECORDED: dict[str, bytes] = {
    "Chromium 156": (
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="plain"\r\n'
        b"\r\n"
        b"a b&c\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="na%22me\\\xe2\x98\x83"\r\n'
        b"\r\n"
        b"gr\xc3\xbcn\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="plain.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of plain.txt\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="na\xc3\xafve \xe2\x98\x83.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of na\xc3\xafve \xe2\x98\x83.txt\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="qu%22ote.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b'content of qu"ote.txt\r\n'
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="back\\slash.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of back\\slash.txt\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="semi;colon.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of semi;colon.txt\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="per%22cent.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of per%22cent.txt\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="up"; filename="bytes.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b"\x00\r\n"
        b"--\xff\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s\r\n"
        b'Content-Disposition: form-data; name="none"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b"\r\n"
        b"------WebKitFormBoundaryeqgdFTmKkJMZ4f3s--\r\n"
    ),
    "curl 7.88": (
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="plain"\r\n'
        b"\r\n"
        b"a b&c\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="na%22me\\\xe2\x98\x83"\r\n'
        b"\r\n"
        b"gr\xc3\xbcn\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="plain.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of plain.txt\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="na\xc3\xafve \xe2\x98\x83.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of na\xc3\xafve \xe2\x98\x83.txt\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="qu%22ote.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b'content of qu"ote.txt\r\n'
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="back\\slash.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of back\\slash.txt\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="semi;colon.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of semi;colon.txt\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="per%22cent.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of per%22cent.txt\r\n"
        b"--------------------------1b0d3899adbd5c47\r\n"
        b'Content-Disposition: form-data; name="up"; filename="bytes.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b"\x00\r\n"
        b"--\xff\r\n"
        b"--------------------------1b0d3899adbd5c47--\r\n"
    ),
    "requests 2.34": (
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="plain"\r\n'
        b"\r\n"
        b"a b&c\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="na%22me\\\xe2\x98\x83"\r\n'
        b"\r\n"
        b"gr\xc3\xbcn\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="plain.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of plain.txt\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="na\xc3\xafve \xe2\x98\x83.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of na\xc3\xafve \xe2\x98\x83.txt\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="qu%22ote.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b'content of qu"ote.txt\r\n'
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="back\\slash.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of back\\slash.txt\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="semi;colon.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of semi;colon.txt\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="per%22cent.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of per%22cent.txt\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="bytes.bin"\r\n'
        b"\r\n"
        b"\x00\r\n"
        b"--\xff\r\n"
        b"--6b81d342f272a6b7761acf6bfc9c44d4--\r\n"
    ),
    "curl 7.88 --form-escape": (
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="plain"\r\n'
        b"\r\n"
        b"a b&c\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="na\\"me\\\\\xe2\x98\x83"\r\n'
        b"\r\n"
        b"gr\xc3\xbcn\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="plain.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of plain.txt\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="na\xc3\xafve \xe2\x98\x83.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of na\xc3\xafve \xe2\x98\x83.txt\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="qu\\"ote.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b'content of qu"ote.txt\r\n'
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="back\\\\slash.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of back\\slash.txt\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="semi;colon.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of semi;colon.txt\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="per%22cent.txt"\r\n'
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"content of per%22cent.txt\r\n"
        b"--------------------------efea3e9de5ef6bd4\r\n"
        b'Content-Disposition: form-data; name="up"; filename="bytes.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b"\x00\r\n"
        b"--\xff\r\n"
        b"--------------------------efea3e9de5ef6bd4--\r\n"
    ),
    "aiohttp 3.14": (
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b'Content-Disposition: form-data; name="plain"\r\n'
        b"\r\n"
        b"a b&c\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b'Content-Disposition: form-data; name="n"\r\n'
        b"\r\n"
        b"gr\xc3\xbcn\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain\r\n"
        b'Content-Disposition: form-data; name="up"; filename="plain.txt"\r\n'
        b"\r\n"
        b"content of plain.txt\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain\r\n"
        b'Content-Disposition: form-data; name="up"; filename="na%C3%AFve%20%E2%98%83.txt"\r\n'
        b"\r\n"
        b"content of na\xc3\xafve \xe2\x98\x83.txt\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain\r\n"
        b'Content-Disposition: form-data; name="up"; filename="qu%22ote.txt"\r\n'
        b"\r\n"
        b'content of qu"ote.txt\r\n'
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain\r\n"
        b'Content-Disposition: form-data; name="up"; filename="back%5Cslash.txt"\r\n'
        b"\r\n"
        b"content of back\\slash.txt\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain\r\n"
        b'Content-Disposition: form-data; name="up"; filename="semi%3Bcolon.txt"\r\n'
        b"\r\n"
        b"content of semi;colon.txt\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: text/plain\r\n"
        b'Content-Disposition: form-data; name="up"; filename="per%2522cent.txt"\r\n'
        b"\r\n"
        b"content of per%22cent.txt\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b'Content-Disposition: form-data; name="up"; filename="bytes.bin"\r\n'
        b"\r\n"
        b"\x00\r\n"
        b"--\xff\r\n"
        b"--4122b0271a1f45f4b8ca4e903a4aaf0a--\r\n"
    ),
}
