"""The simulated customers against the real daemon, by every front door."""
import re
import subprocess
import threading
import unittest

import harness


class Simulator(harness.TestCase):
    def start(self):
        self.secret = harness.new_secret()
        deliver, smtp = harness.free_port(), harness.free_port()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
            f'deliver_url: "http://127.0.0.1:{deliver}/out", allow_private_urls: true }}\n'
            "  - { name: site, connector: webchat }\n"
            "  - name: support\n    connector: email\n    address: support@example.test\n"
            f'    smtp: {{ url: "smtp://127.0.0.1:{smtp}" }}\n'
            f'  - {{ name: weixin, connector: wechat, api_base: "http://127.0.0.1:{harness.free_port()}", app_id: wxdemo, '
            f"app_secret: abc, token: abc, encoding_aes_key: {'k' * 43} }}\n"
            f'  - {{ name: tg, connector: telegram, api_base: "http://127.0.0.1:{harness.free_port()}", bot_token: "1:abc", '
            "secret_token: abc }\n")
        self.over = threading.Event()
        self.channels = set()
        self.agent = threading.Thread(target=self.answer_all, args=(self.daemon.token(),))
        self.agent.start()
        self.addCleanup(self.end_agent)

    def end_agent(self):
        self.over.set()
        self.agent.join()

    def answer_all(self, token):
        while not self.over.is_set():
            item = self.daemon.claim(token, wait_s=1)
            if item is None:
                continue
            self.channels.add(item["channel"])
            self.daemon.reply(item["conversation"], "好的，马上处理。", token)
            self.daemon.request("POST", f"/v1/work-items/{item['id']}/resolve", {}, token)

    def test_stories_are_told_and_answered_on_every_channel(self):
        self.start()
        done = subprocess.run([harness.BUILD / "converge-sim", "--config", self.daemon.config, "--count", "40", "--rate",
                               "3000", "--speed", "40", "--seed", "4", "--patience", "400"],
                              capture_output=True, text=True, timeout=180)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        totals = re.search(r"^(\d+) customers, (\d+) messages in, \d+ refused for a while, (\d+) answers$",
                           done.stdout, re.M)
        self.assertEqual(int(totals[1]), 40)
        self.assertGreater(int(totals[2]), 40)
        self.assertGreaterEqual(int(totals[3]), 40)
        self.assertEqual(self.channels, {"shop", "site", "support", "weixin", "tg"})

    def test_without_a_door_it_says_so(self):
        done = subprocess.run([harness.BUILD / "converge-sim", "--rate", "1"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 64)
        self.assertIn("no door", done.stderr)


if __name__ == "__main__":
    unittest.main()
