"""What a reload does to queues: the contents stay, the new bounds hold."""

import unittest

import daemon
import resp
import taptest


def config(address="127.0.0.1:0", **parameters):
    text = " ".join(f"{name} = {value}" for name, value in parameters.items())
    return f'listener "jobs" {{ listen = {{ "{address}" }} queue {{ {text} }} }}\n'


class ReloadQueue(unittest.TestCase):
    def start(self, **parameters):
        self.daemon = self.enterContext(daemon.Daemon(config(**parameters)))
        return self.connect()

    def connect(self):
        return self.daemon.connect("jobs", kind=resp.Client)

    def reload(self, **parameters):
        self.assertTrue(self.daemon.reload(config(**parameters)))

    def items(self, client):
        return client.call("LRANGE", "q", 0, -1)

    def assert_conserved(self, info):
        self.assertEqual(info["pushed"], info["popped"] + info["evicted"] +
                         info["evicted_resize"] + info["removed"] + info["items"])

    def test_contents_and_counters_stay(self):
        client = self.start(max_items=10)
        client.call("RPUSH", "q", *range(12))
        before = client.qinfo("q")
        self.reload(max_items=20)
        after = client.qinfo("q")
        self.assertGreaterEqual(after["oldest_age_ms"], before.pop("oldest_age_ms"))
        self.assertEqual(after, after | before | {"max_items": 20})
        self.assertEqual(self.items(self.connect()), [str(i) for i in range(2, 12)])

    def test_old_and_new_connections_share_the_queues(self):
        old = self.start(max_items=10)
        self.reload(max_items=20)
        new = self.connect()
        old.call("RPUSH", "q", "a")
        new.call("RPUSH", "q", "b")
        self.assertEqual(self.items(old), ["a", "b"])
        self.assertEqual(self.items(new), ["a", "b"])

    def test_raised_max_items_holds(self):
        client = self.start(max_items=2)
        client.call("RPUSH", "q", "a", "b", "c")
        self.reload(max_items=4)
        self.assertEqual(client.call("RPUSH", "q", "d", "e", "f"), 4)
        self.assertEqual(self.items(self.connect()), ["c", "d", "e", "f"])

    def test_lowered_max_items_drops_the_oldest(self):
        client = self.start(max_items=10)
        client.call("RPUSH", "q", *range(10))
        self.reload(max_items=4)
        self.assertEqual(self.items(client), ["6", "7", "8", "9"])
        info = client.qinfo("q")
        self.assertEqual((info["evicted_resize"], info["evicted"], info["over_bound"]), (6, 0, 0))
        self.assert_conserved(info)
        self.assertEqual(client.call("RPUSH", "q", "x"), 4)

    def test_lowered_max_bytes_drops_the_oldest(self):
        client = self.start(max_bytes="64KiB", max_item_bytes="1KiB")
        for letter in "abcde":
            client.call("RPUSH", "q", letter * 1000)
        self.reload(max_bytes=3000, max_item_bytes="1KiB")
        self.assertEqual([item[0] for item in self.items(client)], ["d", "e"])
        self.assert_conserved(client.qinfo("q"))

    def test_lowered_bound_of_reject_keeps_what_was_taken(self):
        for overflow in "reject", "drop-newest":
            client = self.start(max_items=5, overflow=overflow)
            client.call("RPUSH", "q", *range(5))
            self.reload(max_items=2, overflow=overflow)
            self.assertEqual(len(self.items(client)), 5)
            self.assertEqual(client.qinfo("q")["over_bound"], 1)
            client.call("RPUSH", "q", "x")
            self.assertEqual(len(self.items(client)), 5)
            client.call("LPOP", "q", 4)
            self.assertEqual(client.qinfo("q")["over_bound"], 0)
            self.assertEqual(client.call("RPUSH", "q", "x"), 2)
            self.assert_conserved(client.qinfo("q"))

    def test_changed_policy_holds_at_once(self):
        client = self.start(max_items=2)
        client.call("RPUSH", "q", "a", "b")
        self.reload(max_items=2, overflow="reject")
        self.assertRegex(client.call("RPUSH", "q", "c"), "^FULL ")
        self.reload(max_items=2, overflow="drop-oldest")
        self.assertEqual(client.call("RPUSH", "q", "c"), 2)
        self.assertEqual(self.items(client), ["b", "c"])

    def test_waiting_clients_go_on_waiting(self):
        client = self.start(max_items=2)
        waiting = self.connect()
        waiting.ask("BLPOP", "q", 0)
        client.wait_waiting("q", 1)
        for max_items in 5, 6:
            self.reload(max_items=max_items)
        self.connect().call("RPUSH", "q", "a")
        self.assertEqual(waiting.read(), ["q", "a"])

    def test_new_max_request_bytes_is_for_new_connections(self):
        limits = {"max_item_bytes": "1KiB"}
        old = self.start(max_request_bytes="4KiB", **limits)
        items = ["x" * 1000] * 5
        self.assertRegex(old.call("RPUSH", "q", *items), "^TOOBIG ")
        self.reload(max_request_bytes="16KiB", **limits)
        self.assertRegex(old.call("RPUSH", "q", *items), "^TOOBIG ")
        self.assertEqual(self.connect().call("RPUSH", "q", *items), 5)

    def test_new_scope_is_for_new_connections(self):
        shared = self.start(scope="listener")
        self.reload(scope="connection")
        private = self.connect()
        self.assertEqual(private.call("RPUSH", "q", "b"), 1)
        self.reload(scope="listener")
        self.assertEqual(shared.call("RPUSH", "q", "a"), 1)
        again = self.connect()
        self.assertEqual([self.items(client) for client in (shared, private, again)],
                         [["a"], ["b"], ["a"]])

    def test_failed_reload_trims_nothing(self):
        client = self.start(max_items=10)
        client.call("RPUSH", "q", *range(10))
        for broken in ("oops", 'listener "x" { listen = { "unix:/nonexistent/x" } echo {} }'):
            self.assertFalse(self.daemon.reload(config(max_items=2) + broken))
        self.assertEqual(len(self.items(client)), 10)
        self.assertEqual(client.qinfo("q")["max_items"], 10)

    def test_moved_address_keeps_the_queues(self):
        client = self.start(max_items=10)
        client.call("RPUSH", "q", "a")
        self.assertTrue(self.daemon.reload(config("127.0.0.2:0", max_items=10)))
        self.assertEqual(self.items(self.connect()), ["a"])
        self.assertEqual(self.items(client), ["a"])

    def test_many_reloads_of_a_queue_in_use(self):
        client = self.start(max_items=1000)
        pushed = 0
        for i in range(100):
            pushed += 3
            client.call("RPUSH", "q", i, i, i)
            client.call("LPOP", "q")
            self.reload(max_items=1000 + i)
        info = client.qinfo("q")
        self.assertEqual((info["pushed"], info["popped"], info["items"]), (300, 100, 200))
        self.assert_conserved(info)


if __name__ == "__main__":
    taptest.run()
