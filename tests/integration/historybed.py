"""What the tests of the history share: a real PostgreSQL, and a comparison of the store with SQL, row for row."""
import contextlib
import glob
import json
import os
import pathlib
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import harness


def program(name):
    """Debian keeps the server's programs off the PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    if not found:
        raise AssertionError(f"no {name}: deploy/install-packages --tests installs it")
    return found[-1]


class Postgres:
    """A server of our own on a free port, with a password; run as `postgres` where we are root."""

    user = "converge"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="converge-postgres-"))
        self.port = harness.free_port()
        self.password = "pw-" + os.urandom(8).hex()
        self.process = None
        self.owner = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        word = self.folder / "password"
        word.write_text(self.password)
        for path in (self.folder, word):
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        self._run("initdb", "-D", self.folder / "data", "-U", self.user, "-A", "scram-sha-256", f"--pwfile={word}",
                  "-E", "UTF8", "--locale=C", "--no-sync")

    def _words(self):
        if os.getuid() != 0:
            return {}
        return {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}

    def _run(self, name, *words):
        subprocess.run([program(name), *words], check=True, cwd=self.folder, capture_output=True, **self._words())

    def start(self):
        self._spawn()
        harness.wait_for("PostgreSQL", self._is_ready, 60)
        return self

    def _spawn(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.folder / "data", "-k", self.folder, "-h", "127.0.0.1", "-p",
                 str(self.port), "-c", "shared_buffers=16MB"], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, **self._words())

    def _is_ready(self):
        if self.process.poll() is not None:
            self._spawn()  # it refuses to start while processes of its killed forerunner are still there
        return subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    @property
    def url(self):
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres"

    def _psql(self):
        return ([program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user, "-d", "postgres", "-XqAt"],
                {**os.environ, "PGPASSWORD": self.password})

    @contextlib.contextmanager
    def locked(self, statement):
        """What the statement locks stays locked: SELECT ... FOR UPDATE, say."""
        words, environment = self._psql()
        session = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        session.stdin.write(f"BEGIN;\n{statement};\n\\echo locked\n")
        session.stdin.flush()
        while session.stdout.readline().strip() != "locked":
            if session.poll() is not None:
                raise AssertionError(f"psql ended with {session.returncode}")
        try:
            yield
        finally:
            session.communicate("ROLLBACK;\n", timeout=60)

    def rows(self, statement):
        """Texts, NULL as ''."""
        words, environment = self._psql()
        done = subprocess.run([*words, "-F", "\x1f", "-R", "\x1e", "-c", statement], capture_output=True, text=True,
                              timeout=60, env=environment)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return [tuple(row.split("\x1f")) for row in done.stdout.rstrip("\n").split("\x1e") if row]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def sqlite_rows(path, statement):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
        return [tuple("" if value is None else str(value) for value in row) for row in db.execute(statement)]


class Store:
    """The store's state as a dict of rows, the same as the SQL's."""

    def __init__(self, redis):
        self.redis = redis

    def ids(self, kind):
        keys = self.redis.ask("--scan", "--pattern", f"{{main}}:{kind}:*").split("\n")
        return sorted(key.split(":", 2)[2] for key in keys if key)

    def hash(self, kind, key):
        answer = json.loads(self.redis.ask("--json", "HGETALL", f"{{main}}:{kind}:{key}"))
        return {name: value for name, value in answer.items()}

    def texts(self, conversation):
        return json.loads(self.redis.ask("--json", "LRANGE", f"{{main}}:m:{conversation}", 0, -1))

    def rows(self):
        state = {"customer": {}, "conversation": {}, "work_item": {}, "message": {}}
        for kind, table in (("u", "customer"), ("c", "conversation"), ("w", "work_item")):
            for key in self.ids(kind):
                state[table][key] = self.hash(kind, key)
        for key in state["conversation"]:
            marks = self.hash("y", key)
            for position, text in enumerate(self.texts(key)):
                name = json.loads(text)["id"]
                state["message"][name] = (key, position, text, marks.get(name, ""), marks.get(f"{name}.id", ""))
        return state


def sql_rows(rows):
    """rows(statement) -> tuples of texts. A position counts from 4096 places a millisecond."""
    state = {}
    for table in ("customer", "conversation", "work_item"):
        state[table] = {key: json.loads(text) for key, text in
                        rows(f"SELECT id, json FROM {table} WHERE workspace = 'main'")}
    state["message"] = {
        key: (conversation, int(position), text, mark, provider)
        for key, conversation, position, text, mark, provider in
        rows("SELECT id, conversation, position % 4096, json, mark, provider_id FROM message WHERE workspace = 'main'")}
    return state


def bare(row):
    """Without what the store only notes about the history itself."""
    return {name: value for name, value in row.items() if name not in ("pn", "pc")} if isinstance(row, dict) else row


def difference(store, sql):
    """None where both say the same, else the first rows that differ."""
    for table, rows in store.items():
        if set(rows) != set(sql[table]):
            return f"{table}: only in the store {sorted(set(rows) - set(sql[table]))[:5]}, " \
                   f"only in SQL {sorted(set(sql[table]) - set(rows))[:5]}"
        for key, row in rows.items():
            if bare(row) != bare(sql[table][key]):
                return f"{table} {key}: store {row}, SQL {sql[table][key]}"
    return None
