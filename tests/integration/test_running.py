"""What an operator does with a running daemon: reload it, and look at its figures."""
import os
import re
import signal

import harness

LINE = re.compile(r'^converged_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+$')


class Running(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.shop = f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n'

    def reload(self, event):
        """SIGHUP, and the log line that tells how it ended."""
        before = self.daemon.log.read_text().count(event)
        os.kill(self.daemon.process.pid, signal.SIGHUP)
        harness.wait_for(event, lambda: self.daemon.log.read_text().count(event) > before)

    def write(self, number):
        return self.daemon.post_signed("shop", self.secret, {"id": f"m{number}", "from": {"id": "c1"}, "text": "x"},
                                       f"m{number}").status

    def test_a_reload_opens_and_closes_channels(self):
        self.daemon = self.start_daemon()
        self.assertEqual(self.write(1), 404)
        self.daemon.write_config(self.shop + "  - { name: site, connector: webchat }\n")
        self.reload("event=config_changed key=channels.shop")
        self.assertEqual(self.write(2), 200)
        self.daemon.write_config("")
        self.reload("event=config_changed key=channels.shop")
        self.assertEqual(self.write(3), 404)
        self.reload("event=config_unchanged")

    def test_a_reload_of_a_broken_file_keeps_what_was(self):
        self.daemon = self.start_daemon(self.shop)
        self.daemon.write_config("  - { name: shop, connector: webhok }\n")
        self.reload("event=reload_failed")
        self.assertEqual(self.write(1), 200)
        self.assertIn(f"{self.daemon.config}:", self.daemon.log.read_text())

    def test_metrics_tell_what_happened(self):
        self.daemon = self.start_daemon(self.shop)
        alice = self.daemon.token()
        for number in range(3):
            self.assertEqual(self.write(number), 200)
        self.daemon.claim(alice)
        text = self.daemon.request("GET", "/metrics").body.decode()
        rows = [line for line in text.splitlines() if not line.startswith("#")]
        for line in rows:
            self.assertRegex(line, LINE)
        figures = dict(line.rsplit(" ", 1) for line in rows)
        self.assertEqual(len(figures), len(rows), "a figure is told twice")
        self.assertEqual(figures["converged_store_up"], "1")
        self.assertGreater(float(figures["converged_store_scripts_total"]), 3)
        self.assertEqual(figures['converged_channel_up{workspace="main",channel="shop"}'], "1")
        self.assertGreater(float(figures["converged_process_resident_memory_bytes"]), 1e6)
