"""The pages that the binary carries: compressed, cached, under a strict policy, and within their budget of bytes."""
import gzip
import http.client
import re
import unittest

import harness

DESK_SCRIPT_MOST = 120 * 1024
WIDGET_LOADER_MOST = 4 * 1024
WIDGET_MOST = 20 * 1024
DESK_STYLE_MOST = 12 * 1024


class Pages(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n")

    def get(self, path, **fields):
        link = http.client.HTTPConnection("127.0.0.1", self.daemon.http_port, timeout=30)
        self.addCleanup(link.close)
        link.request("GET", path, headers={name.replace("_", "-"): value for name, value in fields.items()})
        answer = link.getresponse()
        return answer, answer.read()

    def test_the_encoding_is_the_one_that_is_asked_for(self):
        for path in ("/", "/desk.js", "/desk.css", "/widget.js", "/widget-main.js"):
            plain, bytes_ = self.get(path)
            self.assertIsNone(plain.headers["Content-Encoding"])
            self.assertEqual(plain.headers["Vary"], "Accept-Encoding")
            zipped, packed = self.get(path, Accept_Encoding="deflate, gzip;q=0.8")
            self.assertEqual(zipped.headers["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(packed), bytes_)
            best, smallest = self.get(path, Accept_Encoding="gzip, deflate, br")
            self.assertEqual(best.headers["Content-Encoding"], "br")
            self.assertLess(len(smallest), len(packed))
            self.assertEqual(self.get(path, Accept_Encoding="br;q=0, gzip")[0].headers["Content-Encoding"], "gzip")
            self.assertIsNone(self.get(path, Accept_Encoding="brotli, x-gzip")[0].headers["Content-Encoding"])

    def test_what_is_known_is_not_sent_again(self):
        first, body = self.get("/desk.js", Accept_Encoding="gzip")
        again, empty = self.get("/desk.js", Accept_Encoding="gzip", If_None_Match=first.headers["ETag"])
        self.assertEqual((first.status, again.status, empty), (200, 304, b""))
        self.assertNotEqual(body, b"")
        self.assertEqual(self.get("/desk.js", Accept_Encoding="br", If_None_Match=first.headers["ETag"])[0].status, 200)

    def test_nothing_runs_inline_and_nothing_comes_from_elsewhere(self):
        answer, page = self.get("/")
        policy = answer.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("http", policy)
        self.assertNotRegex(page.decode(), r"<script(?![^>]*\bsrc=)|<style|\bon[a-z]+=|\bstyle=")
        for path in re.findall(r'(?:src|href)="([^"]*)"', page.decode()):
            self.assertRegex(path, r"^(/desk\.(js|css)|data:,)$")
        self.assertNotRegex(self.get("/desk.css")[1].decode(), r"url\(|@import")

    def test_the_desk_keeps_to_its_budget(self):
        paths = ("/desk.js", "/desk.css", "/widget.js", "/widget-main.js")
        sizes = {path: len(self.get(path, Accept_Encoding="gzip")[1]) for path in paths}
        self.assertLessEqual(sizes["/widget.js"], WIDGET_LOADER_MOST)
        self.assertLessEqual(sizes["/widget.js"] + sizes["/widget-main.js"], WIDGET_MOST)
        self.assertLessEqual(sizes["/desk.js"], DESK_SCRIPT_MOST)
        self.assertLessEqual(sizes["/desk.css"], DESK_STYLE_MOST)


if __name__ == "__main__":
    unittest.main()
