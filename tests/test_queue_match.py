"""Sections match "PATTERN": other bounds for the queues whose names match."""

import daemon
import queuecase
import taptest


class Match(queuecase.QueueCase):
    def max_items(self, *queues):
        for queue in queues:
            self.client.call("RPUSH", queue, "x")
        return [self.client.qinfo(queue)["max_items"] for queue in queues]

    def test_first_that_matches_holds(self):
        self.start('match "a:b*" { max_items = 1 }', 'match "a:*" { max_items = 2 }',
                   'match "a:bc" { max_items = 3 }', 'match "*z" { max_items = 4 }', max_items=5)
        self.assertEqual(self.max_items("a:b", "a:bc", "a:c", "a:z", "b:z", "b"),
                         [1, 1, 2, 2, 4, 5])

    def test_patterns(self):
        self.start('match "h?llo" { max_items = 1 }', 'match "n[0-9]" { max_items = 2 }',
                   'match "n[^0-9x]" { max_items = 3 }', 'match "s\\\\*r" { max_items = 4 }',
                   'match "exact" { max_items = 5 }', max_items=9)
        for queue, expected in (("hello", 1), ("hllo", 9), ("heello", 9), ("n7", 2), ("na", 3),
                                ("nx", 9), ("n77", 9), ("s*r", 4), ("star", 9), ("exact", 5),
                                ("exactly", 9), ("inexact", 9), ("EXACT", 9)):
            self.assertEqual(self.max_items(queue), [expected], queue)

    def test_what_it_does_not_say_is_as_outside(self):
        self.start('match "a" { max_items = 2 }', 'match "b" { overflow = drop-oldest }',
                   max_items=3, overflow="reject", max_bytes=4000, max_item_bytes=1000)
        for queue in "abc":
            for i in range(5):
                self.client.call("RPUSH", queue, i)
        self.assertEqual([self.items(queue) for queue in "abc"],
                         [["0", "1"], ["2", "3", "4"], ["0", "1", "2"]])
        for queue in "abc":
            self.assertEqual(self.client.qinfo(queue)["max_bytes"], 4000)
            self.assertRegex(self.client.call("RPUSH", queue, "x" * 1001), "^TOOBIG ")

    def test_every_parameter(self):
        self.start('match "big" { max_bytes = 9000 max_item_bytes = 5000 }',
                   'match "old" { max_age = 1ms }', 'match "wait" { overflow = block }',
                   max_items=2, max_bytes=2000, max_item_bytes=1000, push_timeout="1ms",
                   overflow="reject")
        self.assertEqual(self.client.call("RPUSH", "big", "x" * 5000), 1)
        self.assertRegex(self.client.call("RPUSH", "other", "x" * 5000), "^TOOBIG ")
        self.client.call("RPUSH", "old", "x")
        daemon.wait_until(lambda: self.client.call("LLEN", "old") == 0, "it has expired")
        self.client.call("RPUSH", "wait", "a", "b")
        self.assertRegex(self.client.call("RPUSH", "wait", "c"), "^FULL ")
        self.assertEqual(self.figures("timed_out", queue="wait"), (1,))

    def test_policies_side_by_side(self):
        self.start('match "o" { overflow = drop-oldest }', 'match "n" { overflow = drop-newest }',
                   'match "r" { overflow = reject }', 'match "b" { overflow = block }',
                   max_items=1, push_timeout="forever")
        for queue in "onrb":
            self.client.call("RPUSH", queue, "x")
        waiting = self.producer("RPUSH", "b", "y", queue="b")
        self.assertEqual([str(self.client.call("RPUSH", queue, "y"))[:4] for queue in "onr"],
                         ["1", "1", "FULL"])
        self.assertEqual([self.items(queue) for queue in "onrb"], [["y"], ["x"], ["x"], ["x"]])
        self.client.call("LPOP", "b")
        self.assertEqual(waiting.read(), 1)
        self.assertEqual([self.client.qinfo(queue)["policy"] for queue in "onrb"],
                         ["drop-oldest", "drop-newest", "reject", "block"])

    def test_auto_create_off(self):
        """Queues have the names that match, and no other: those look empty."""
        self.start('match "jobs:*" {}', auto_create="no")
        self.assertEqual(self.client.call("RPUSH", "jobs:1", "a"), 1)
        for words in (("RPUSH", "x", "a"), ("LPUSH", "x", "a"), ("BRPUSH", "x", "a", 0),
                      ("BLPOP", "x", 0), ("BLPOP", "jobs:2", "x", 0), ("QTAKE", "x", 1, 0, 1),
                      ("LMOVE", "jobs:1", "x", "LEFT", "LEFT"), ("RPOPLPUSH", "jobs:1", "x"),
                      ("BLMOVE", "jobs:1", "x", "LEFT", "LEFT", 0),
                      ("BLMOVE", "x", "jobs:1", "LEFT", "LEFT", 0),
                      ("BLMPOP", 0, 1, "x", "LEFT")):
            self.assertRegex(str(self.client.call(*words)), "^NOQUEUE ", words)
        for words, answer in ((("LPOP", "x"), None), (("LLEN", "x"), 0), (("RPUSHX", "x", "a"), 0),
                              (("DEL", "x"), 0), (("LRANGE", "x", 0, -1), []),
                              (("LMOVE", "x", "jobs:1", "LEFT", "LEFT"), None),
                              (("LMPOP", 1, "x", "LEFT"), None), (("BLPOP", "x", "jobs:1", 0),
                                                                  ["jobs:1", "a"])):
            self.assertEqual(self.client.call(*words), answer, words)
        self.assertEqual(self.client.call("KEYS", "*"), [])


if __name__ == "__main__":
    taptest.run()
