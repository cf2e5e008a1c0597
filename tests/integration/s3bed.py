"""A strict S3 store that checks every signature itself, and misbehaves when told to.

Written from Amazon's description of Signature Version 4 ("Authenticating Requests: Using the Authorization Header",
Amazon S3 API Reference). check_vectors() holds it to the examples published there.
"""
import contextlib
import datetime
import hashlib
import hmac
import http.server
import threading
import urllib.parse

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()
SKEW_S = 15 * 60


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def canonical_query(query):
    pairs = sorted((urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~"))
                   for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{name}={value}" for name, value in pairs)


def signature_of(method, target, headers, signed, scope, secret):
    """headers: lower-case names; signed: list of names; scope: date/region/service/aws4_request."""
    path, _, query = target.partition("?")
    lines = [method, path, canonical_query(query)]
    lines += [f"{name}:{' '.join(headers[name].split())}" for name in signed]
    lines += ["", ";".join(signed), headers["x-amz-content-sha256"]]
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashed])
    key = ("AWS4" + secret).encode()
    for part in [*scope.split("/"), text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def check_vectors():
    """The four examples of the API Reference; (what was computed, what is published) each."""
    base = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": EMPTY}
    upload = {**base, "date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY",
              "x-amz-content-sha256": hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()}
    examples = [
        ("GET", "/test.txt", {**base, "range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("PUT", "/test%24file.text", upload, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        ("GET", "/?lifecycle", base, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("GET", "/?max-keys=2&prefix=J", base, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]
    for method, target, headers, published in examples:
        yield signature_of(method, target, headers, sorted(headers), "20130524/us-east-1/s3/aws4_request", SECRET_KEY), published


class S3:
    """objects: what is stored, by path. `mischief`: words for the next requests: a status such as "503", "drop" (done,
    but not answered), "truncate", "corrupt", "etag", "hang" (until the store is closed)."""

    def __init__(self, region="eu-test-1"):
        self.region = region
        self.objects, self.asked, self.refused, self.mischief = {}, [], [], []
        self.is_down = False
        self.page = 1000
        self.end = threading.Event()
        self.lock = threading.Lock()
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def run(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                store.handle(self, body)

            do_GET = do_PUT = do_DELETE = do_POST = do_HEAD = run

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # whoever asked is gone
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def setting(self, **more):
        rows = {"url": f"'s3://mails/raw/a?endpoint=http://127.0.0.1:{self.port}&region={self.region}'",
                "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, **more}
        return "blobs: { " + ", ".join(f"{name}: {value}" for name, value in rows.items()) + " }\n"

    def object(self, blob):
        return self.objects.get(f"/mails/raw/a/{blob}")

    def check(self, wire, body):
        """Raises Refused where a request is not signed as the specification wants it."""
        headers = {name.lower(): value for name, value in wire.headers.items()}
        words = headers.get("authorization", "").replace(",", " ").split()
        fields = dict(word.partition("=")[::2] for word in words[1:])
        if words[:1] != ["AWS4-HMAC-SHA256"] or set(fields) != {"Credential", "SignedHeaders", "Signature"}:
            raise Refused(403, "AccessDenied")
        access, _, scope = fields["Credential"].partition("/")
        date = headers.get("x-amz-date", "")
        signed = fields["SignedHeaders"].split(";")
        if access != ACCESS_KEY:
            raise Refused(403, "InvalidAccessKeyId")
        if scope != f"{date[:8]}/{self.region}/s3/aws4_request":
            raise Refused(400, "AuthorizationHeaderMalformed")
        then = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs((datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()) > SKEW_S:
            raise Refused(403, "RequestTimeTooSkewed")
        wanted = {"host"} | {name for name in headers if name.startswith("x-amz-")}
        if signed != sorted(signed) or not wanted <= set(signed) or not set(signed) <= set(headers):
            raise Refused(403, "SignatureDoesNotMatch")
        if signature_of(wire.command, wire.path, headers, signed, scope, SECRET_KEY) != fields["Signature"]:
            raise Refused(403, "SignatureDoesNotMatch")
        if hashlib.sha256(body).hexdigest() != headers["x-amz-content-sha256"]:
            raise Refused(400, "XAmzContentSHA256Mismatch")

    def handle(self, wire, body):
        with self.lock:
            self.asked.append((wire.command, wire.path))
            mischief = "503" if self.is_down else self.mischief.pop(0) if self.mischief else ""
        try:
            self.check(wire, body)
            if mischief.isdigit():
                raise Refused(int(mischief), "SlowDown")
        except Refused as refusal:
            self.refused.append(refusal.code)
            return self.say(wire, refusal.status, f"<?xml version='1.0'?><Error><Code>{refusal.code}</Code></Error>".encode())
        if mischief == "hang":
            self.end.wait()
            wire.close_connection = True
            return None
        status, answer = self.do(wire.command, wire.path, body)
        if mischief == "drop":
            wire.close_connection = True
            return None
        if mischief == "corrupt":
            answer = bytes(byte ^ 1 for byte in answer)
        return self.say(wire, status, answer, mischief)

    def listed(self, bucket, query):
        """ListObjectsV2, a page of at most `page` keys."""
        prefix, after = query["prefix"][0], query.get("start-after", [""])[0]
        names = sorted(name[len(bucket) + 1:] for name in self.objects if name.startswith(f"{bucket}/{prefix}"))
        names = [name for name in names if name > after]
        shown = names[:min(self.page, int(query["max-keys"][0]))]
        rows = "".join(f"<Contents><Key>{name}</Key><Size>1</Size></Contents>" for name in shown)
        return 200, (f"<?xml version='1.0'?><ListBucketResult><IsTruncated>{str(len(names) > len(shown)).lower()}</IsTruncated>"
                     f"{rows}</ListBucketResult>").encode()

    def do(self, method, path, body):
        bucket, _, query = path.partition("?")
        bucket = bucket.rstrip("/")
        with self.lock:
            if method == "GET" and "list-type=2" in query:
                return self.listed(bucket, urllib.parse.parse_qs(query))
            if method == "PUT":
                self.objects[path] = body
                return 200, b""
            if method == "DELETE":
                self.objects.pop(path, None)
                return 204, b""
            if path in self.objects:
                return 200, self.objects[path]
        return 404, b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"

    @staticmethod
    def say(wire, status, body, mischief=""):
        with contextlib.suppress(OSError):  # whoever asked is gone
            S3.write(wire, status, body, mischief)

    @staticmethod
    def write(wire, status, body, mischief):
        wire.send_response(status)
        if status != 204:
            wire.send_header("Content-Length", str(len(body)))
        wire.send_header("ETag", '"0"' if mischief == "etag" else f'"{hashlib.md5(body).hexdigest()}"')
        if status == 503:
            wire.send_header("Retry-After", "0")
        wire.end_headers()
        wire.wfile.write(body[:len(body) // 2] if mischief == "truncate" else body)
        if mischief == "truncate":
            wire.close_connection = True

    def close(self):
        self.end.set()
        self.server.shutdown()
        self.server.server_close()
